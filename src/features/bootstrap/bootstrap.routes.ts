import { z } from 'zod';
import { reply, route } from '#transport/route.ts';
import { timeZoneQuery } from '#transport/timeZone.ts';
import { storeZone } from './bootstrap.service.ts';

interface Part {
  path: string;
  responses: Readonly<{ 200: z.ZodType }>;
}
type Shape<Parts extends Record<string, Part>> = {
  [Name in keyof Parts]: z.ZodOptional<Parts[Name]['responses'][200]>;
};

/** @param parts name of a member of the answer → the route that it is the answer of */
export function bootstrapRoutes<Parts extends Record<string, Part>>(parts: Parts) {
  const entries = Object.entries(parts);
  const shape = Object.fromEntries(entries.map(([name, { responses }]) => [name, responses[200].optional()]));
  return [
    route({
      method: 'GET',
      path: '/api/bootstrap/get',
      auth: 'user',
      transaction: 'manual',
      summary: 'What the app needs at its start, in one answer; a part that fails is left out.',
      query: timeZoneQuery,
      responses: { 200: z.object(shape as Shape<Parts>) },
      etag: true,
      cache: {
        namespace: 'bootstrap',
        dependsOn: ['profile', 'plan', 'training', 'cardio', 'inbox', 'catalogue', 'senders'],
      },
      compose: Object.fromEntries(entries.map(([name, { path }]) => [name, path])),
      async handle({ caller, query, deps, transaction }) {
        if (query.tz && query.tz !== caller.storedZone) await storeZone(transaction, deps.log, caller.id, query.tz);
        return reply(200, {} as never);
      },
    }),
  ] as const;
}
