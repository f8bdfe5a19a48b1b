import { reply, route } from '#transport/route.ts';
import { timeZoneQuery } from '#transport/timeZone.ts';
import { tracking } from './tracking.schemas.ts';
import { readTracking } from './tracking.service.ts';

export const getTracking = route({
  method: 'GET',
  path: '/api/workouts/gettracking',
  auth: 'user',
  transaction: 'auto',
  summary: 'Statistics of all workouts and the maps of the last 45 days.',
  query: timeZoneQuery,
  responses: { 200: tracking },
  etag: true,
  cache: {
    namespace: 'tracking',
    dependsOn: ['training', 'plan', 'catalogue'],
    seconds: (config) => config.CACHE_TTL_TRACKING_SEC,
    isTold: true,
  },
  handle: async ({ tx, caller, query, deps }) =>
    reply(200, (await readTracking(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)).answer),
});

export const trackingRoutes = [getTracking];
