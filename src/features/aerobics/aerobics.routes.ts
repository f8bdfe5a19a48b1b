import { reply, route } from '#http/route.ts';
import { timeZoneQuery } from '#http/timeZone.ts';
import { cardioForm, cardioMaps } from './aerobics.schemas.ts';
import { addCardio, assertCardioBounds, readCardio } from './aerobics.service.ts';

export const aerobicsRoutes = [
  route({
    method: 'GET',
    path: '/api/aerobics/get',
    audience: 'user',
    unit: 'whole',
    summary: 'Cardio of the last 45 days by day and by week from Sunday.',
    query: timeZoneQuery,
    responses: { 200: cardioMaps },
    revalidated: true,
    keptAs: 'aerobics',
    handle: async ({ tx, caller, query, deps }) =>
      reply(200, await readCardio(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)),
  }),
  route({
    method: 'POST',
    path: '/api/aerobics/add',
    audience: 'user',
    unit: 'whole',
    summary: 'Logs cardio, now.',
    body: cardioForm,
    responses: { 201: cardioMaps },
    errors: [409],
    idempotent: true,
    async handle({ tx, caller, body, deps }) {
      await addCardio(tx, caller.id, body);
      const cardio = await readCardio(tx, caller.id, body.tz ?? deps.config.DEFAULT_TZ);
      assertCardioBounds(cardio);
      return reply(201, cardio);
    },
  }),
];
