import { reply, route } from '#transport/route.ts';
import { timeZoneQuery } from '#transport/timeZone.ts';
import { cardioForm, cardioMaps } from './aerobics.schemas.ts';
import { addCardio, assertCardioBounds, readCardio } from './aerobics.service.ts';

export const getCardio = route({
  method: 'GET',
  path: '/api/aerobics/get',
  auth: 'user',
  transaction: 'auto',
  summary: 'Cardio of the last 45 days by day and by week from Sunday.',
  query: timeZoneQuery,
  responses: { 200: cardioMaps },
  etag: true,
  cache: {
    namespace: 'aerobics',
    dependsOn: ['cardio'],
    seconds: (config) => config.CACHE_TTL_AEROBICS_SEC,
    isTold: true,
  },
  handle: async ({ tx, caller, query, deps }) =>
    reply(200, await readCardio(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)),
});

export const aerobicsRoutes = [
  getCardio,
  route({
    method: 'POST',
    path: '/api/aerobics/add',
    auth: 'user',
    transaction: 'auto',
    summary: 'Logs cardio, now; without an Idempotency-Key the same record within a minute is one.',
    body: cardioForm,
    responses: { 201: cardioMaps },
    errors: [409],
    idempotent: true,
    async handle({ tx, caller, body, deps, header }) {
      const [, cardio] = await Promise.all([
        addCardio(tx, caller.id, body, header('idempotency-key') === undefined),
        readCardio(tx, caller.id, body.tz ?? deps.config.DEFAULT_TZ),
      ]);
      assertCardioBounds(cardio);
      return reply(201, cardio);
    },
  }),
];
