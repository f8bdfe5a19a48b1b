import { expectedVersions } from '#transport/preconditions.ts';
import { reply, route } from '#transport/route.ts';
import { settings, settingsChange } from './settings.schemas.ts';
import { changeSettings, readSettings } from './settings.service.ts';

export const getMe = route({
  method: 'GET',
  path: '/api/v1/me',
  operation: 'getMe',
  auth: 'user',
  transaction: 'auto',
  summary: 'Who the caller is, and what they chose: units, first day of the week, zone, reminders.',
  responses: { 200: settings },
  isDocument: true,
  handle: async ({ tx, caller }) => reply(200, await readSettings(tx, caller.id)),
});

export const settingsRoutes = [
  getMe,
  route({
    method: 'PATCH',
    path: '/api/v1/me',
    operation: 'changeMe',
    auth: 'user',
    transaction: 'auto',
    summary: 'Changes what the body names, and keeps the rest.',
    body: settingsChange,
    responses: { 200: settings },
    errors: [412],
    headers: { 'If-Match': 'optional' },
    isDocument: true,
    handle: async ({ tx, caller, body, header }) =>
      reply(200, await changeSettings(tx, caller.id, body, expectedVersions(header('if-match')))),
  }),
];
