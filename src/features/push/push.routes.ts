import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ApiError } from '#platform/apiError.ts';
import type { Query } from '#platform/postgres/query.ts';
import { reply, route } from '#transport/route.ts';
import { ENQUEUE_DAILY_PUSHES, ENQUEUE_REMINDERS } from './push.queries.ts';

const enqueued = z.object({ success: z.literal(true), message: z.string() });

/** Time limit for a statement that touches everybody's rows, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Two plain GETs for an outside scheduler; idempotent, and guarded by the secret where one is set. */
const trigger = <const Path extends string>(
  path: Path,
  summary: string,
  query: Query<{ enqueued: number }>,
  values: unknown[],
  message: (count: number) => string,
) =>
  route({
    method: 'GET',
    path,
    gates: 'none',
    auth: 'public',
    transaction: 'manual',
    summary,
    responses: { 200: enqueued },
    errors: [401],
    headers: { 'X-Cron-Secret': 'optional' },
    async handle({ deps, header }) {
      const secret = deps.config.CRON_SECRET;
      const sent = header('x-cron-secret') ?? header('authorization')?.replace(/^bearer +/i, '');
      if (secret !== undefined && !isSame(sent ?? '', secret)) {
        throw new ApiError(401, 'CRON_SECRET_INVALID', 'Cron secret is missing or wrong');
      }
      const row = await deps.db.asService((tx) => tx.one(query, values), TIMEOUT_MS);
      deps.outbox.wake();
      return reply(200, { success: true, message: message(row.enqueued) });
    },
  });

/** In constant time, whatever the lengths. */
function isSame(sent: string, secret: string): boolean {
  const [a, b] = [sent, secret].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

export const pushRoutes = [
  trigger(
    '/api/push/daily',
    'Enqueues one push for everybody with a phone, once a local day.',
    ENQUEUE_DAILY_PUSHES,
    [null],
    () => 'Daily notifications enqueued',
  ),
  trigger(
    '/api/push/hourlyreminder',
    'Enqueues the reminders that fall due within 24 hours, each once.',
    ENQUEUE_REMINDERS,
    [],
    (count) => `Enqueued ${count} workout reminders`,
  ),
];
