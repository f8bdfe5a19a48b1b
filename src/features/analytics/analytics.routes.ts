import { reply, route } from '#transport/route.ts';
import { analytics } from './analytics.schemas.ts';
import { readAnalytics } from './analytics.service.ts';

export const analyticsRoutes = [
  route({
    method: 'GET',
    path: '/api/analytics/get',
    auth: 'user',
    transaction: 'auto',
    summary: 'Estimated one-rep maxima and adherence to the plan.',
    responses: { 200: analytics },
    etag: true,
    cache: {
      namespace: 'analytics',
      dependsOn: ['training', 'plan', 'catalogue'],
      seconds: (config) => config.CACHE_TTL_ANALYTICS_SEC,
      isTold: true,
    },
    handle: async ({ tx, caller }) => reply(200, await readAnalytics(tx, caller.id)),
  }),
];
