import { reply, route } from '#http/route.ts';
import { timeZoneQuery } from '#http/timeZone.ts';
import { tracking } from './tracking.schemas.ts';
import { readTracking } from './tracking.service.ts';

export const trackingRoutes = [
  route({
    method: 'GET',
    path: '/api/workouts/gettracking',
    audience: 'user',
    unit: 'whole',
    summary: 'Statistics of all workouts and the maps of the last 45 days.',
    query: timeZoneQuery,
    responses: { 200: tracking },
    revalidated: true,
    keptAs: 'tracking',
    handle: async ({ tx, caller, query, deps }) =>
      reply(200, await readTracking(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ)),
  }),
];
