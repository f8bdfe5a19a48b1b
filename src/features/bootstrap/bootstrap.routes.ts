import { z } from 'zod';
import { cardioMaps } from '#features/aerobics/aerobics.schemas.ts';
import { inbox } from '#features/messages/messages.schemas.ts';
import { tracking } from '#features/tracking/tracking.schemas.ts';
import { profile } from '#features/users/users.schemas.ts';
import { plan } from '#features/workouts/workouts.schemas.ts';
import { reply, route } from '#http/route.ts';
import { timeZoneQuery } from '#http/timeZone.ts';
import { storeZone } from './bootstrap.service.ts';

const bootstrap = z.object({
  user: profile.optional(),
  workout: plan.optional(),
  tracking: tracking.optional(),
  aerobics: cardioMaps.optional(),
  messages: inbox.optional(),
});

export const bootstrapRoutes = [
  route({
    method: 'GET',
    path: '/api/bootstrap/get',
    audience: 'user',
    unit: 'steps',
    summary: 'What the app needs at its start, in one answer; a part that fails is left out.',
    query: timeZoneQuery,
    responses: { 200: bootstrap },
    revalidated: true,
    parts: {
      user: '/api/users/get',
      workout: '/api/workouts/getworkout',
      tracking: '/api/workouts/gettracking',
      aerobics: '/api/aerobics/get',
      messages: '/api/messages/getmessages',
    },
    async handle({ caller, query, deps, transaction }) {
      if (query.tz && query.tz !== caller.storedZone) await storeZone(transaction, deps.log, caller.id, query.tz);
      return reply(200, {});
    },
  }),
];
