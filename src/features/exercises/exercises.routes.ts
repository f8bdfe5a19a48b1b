import { z } from 'zod';
import { reply, route } from '#http/route.ts';
import { readCatalogue } from './exercises.service.ts';

const catalogue = z.record(
  z.string(),
  z.array(z.object({ id: z.int(), name: z.string(), specificTargetMuscle: z.string() })),
);

export const exercisesRoutes = [
  route({
    method: 'GET',
    path: '/api/exercises/getall',
    audience: 'user',
    unit: 'whole',
    summary: 'The exercise catalogue by target muscle, each sorted by name.',
    responses: { 200: catalogue },
    revalidated: true,
    handle: async ({ tx }) => reply(200, await readCatalogue(tx)),
  }),
];
