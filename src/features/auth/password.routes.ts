import { reply, route } from '#transport/route.ts';
import { noBody } from '#transport/schemas.ts';
import { passwordChange } from './auth.schemas.ts';
import { changePassword } from './password.service.ts';

export const passwordRoutes = [
  route({
    method: 'PUT',
    path: '/api/v1/me/password',
    operation: 'changePassword',
    auth: 'user',
    endsSessions: true,
    transaction: 'manual',
    summary: 'Sets a new password, for the old one or a mailed code; all other sessions end, the phone among them.',
    body: passwordChange,
    responses: { 204: noBody },
    errors: [403],
    async handle(context) {
      await changePassword(context, context.body);
      return reply(204);
    },
  }),
];
