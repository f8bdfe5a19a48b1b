import { reply, route } from '#http/route.ts';
import { analytics } from './analytics.schemas.ts';
import { readAnalytics } from './analytics.service.ts';

export const analyticsRoutes = [
  route({
    method: 'GET',
    path: '/api/analytics/get',
    audience: 'user',
    unit: 'whole',
    summary: 'Estimated one-rep maxima and adherence to the plan.',
    responses: { 200: analytics },
    revalidated: true,
    keptAs: 'analytics',
    handle: async ({ tx, caller }) => reply(200, await readAnalytics(tx, caller.id)),
  }),
];
