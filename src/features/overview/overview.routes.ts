import { z } from 'zod';
import { day, WEEKDAYS, zoneName } from '#training/values.ts';
import { reply, route } from '#transport/route.ts';

interface Part {
  path: string;
  responses: Readonly<{ 200: z.ZodType }>;
}
type Shape<Parts extends Record<string, Part>> = {
  [Name in keyof Parts]: z.ZodOptional<Parts[Name]['responses'][200]>;
};

const MOST_DAYS = 400;

/** What the parts take, and for measurements that they are of body weight. */
const query = z
  .strictObject({ from: day, to: day, tz: zoneName.optional(), weekStart: z.enum(WEEKDAYS).default('monday') })
  .refine(
    ({ from, to }) => from <= to && Date.parse(to) - Date.parse(from) <= MOST_DAYS * 86_400_000,
    `to must not be before from, nor more than ${MOST_DAYS} days after it`,
  )
  .transform((asked) => ({ ...asked, kind: 'body_weight', limit: 200 }));

/** @param parts name of a member of the answer → the route that it is the answer of */
export function overviewRoutes<Parts extends Record<string, Part>>(parts: Parts) {
  const entries = Object.entries(parts);
  const shape = Object.fromEntries(entries.map(([name, { responses }]) => [name, responses[200].optional()]));
  return [
    route({
      method: 'GET',
      path: '/api/v1/overview',
      operation: 'getOverview',
      auth: 'user',
      transaction: 'manual',
      summary: 'What a first screen shows, in one answer; a part that fails is left out.',
      query,
      responses: { 200: z.object(shape as Shape<Parts>) },
      etag: true,
      compose: Object.fromEntries(entries.map(([name, { path }]) => [name, path])),
      handle: async () => reply(200, {} as never),
    }),
  ] as const;
}
