import { badRequest } from '#platform/apiError.ts';
import { reply, route } from '#transport/route.ts';
import { registrations } from './auth.limits.ts';
import { registered, registration } from './auth.schemas.ts';
import { register } from './registration.service.ts';

const userExists = () => badRequest('USER_EXISTS', 'User already exists');

export const registrationRoutes = [
  route({
    method: 'POST',
    path: '/api/users/create',
    auth: 'public',
    transaction: 'manual',
    summary: 'Registers a person and sends the verification mail.',
    body: registration,
    responses: { 201: registered },
    limits: [{ limit: registrations, by: 'address' }],
    constraints: { users_username_key: userExists, users_email_key: userExists },
    async handle({ body, address, transaction, deps, signal }) {
      const passwordHash = await deps.passwords.inTurn(address.network, ({ hash }) => hash(body.password), signal);
      const user = await transaction((tx) => register(tx, deps.outbox, body, passwordHash));
      return reply(201, { message: 'User created successfully!', user });
    },
  }),
];
