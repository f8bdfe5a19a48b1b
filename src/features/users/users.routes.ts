import { badRequest } from '#http/errors.ts';
import { reply, route } from '#http/route.ts';
import { hashPassword } from '#platform/crypto/passwords.ts';
import { profile, registered, registration } from './users.schemas.ts';
import { readProfile, register } from './users.service.ts';

const userExists = () => badRequest('USER_EXISTS', 'User already exists');

export const usersRoutes = [
  route({
    method: 'POST',
    path: '/api/users/create',
    audience: 'public',
    unit: 'steps',
    summary: 'Registers a person and sends the verification mail.',
    body: registration,
    responses: { 201: registered },
    limits: [{ name: 'registration', by: 'ip' }],
    constraints: { users_username_key: userExists, users_email_key: userExists },
    async handle({ body, transaction, deps }) {
      const passwordHash = await hashPassword(body.password);
      const user = await transaction(async (tx) => {
        tx.afterCommit(deps.outboxChanged);
        return register(tx, body, passwordHash);
      });
      return reply(201, { message: 'User created successfully!', user });
    },
  }),
  route({
    method: 'GET',
    path: '/api/users/get',
    audience: 'user',
    unit: 'whole',
    summary: "The caller's profile.",
    responses: { 200: profile },
    handle: async ({ tx, caller }) => reply(200, await readProfile(tx, caller.id)),
  }),
];
