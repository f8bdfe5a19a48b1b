import { z } from 'zod';
import { reply, route } from '#transport/route.ts';
import { readCatalogue } from './exercises.service.ts';

const catalogue = z.record(
  z.string(),
  z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      specificTargetMuscle: z.string().describe('the nearest that the app has a picture for'),
    }),
  ),
);

export const exercisesRoutes = [
  route({
    method: 'GET',
    path: '/api/exercises/getall',
    auth: 'user',
    transaction: 'auto',
    summary: 'The catalogue and the own exercises by target muscle, each sorted by name.',
    responses: { 200: catalogue },
    etag: true,
    cache: { namespace: 'catalogue', dependsOn: ['catalogue', 'plan'] },
    handle: async ({ tx }) => reply(200, await readCatalogue(tx)),
  }),
];
