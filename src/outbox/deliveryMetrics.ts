import type { JobQueues } from '#platform/jobQueues.ts';
import type { Metrics, Sample } from '#platform/metrics.ts';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Outcome } from './delivery.ts';

interface PendingRow {
  kind: string;
  pending: number;
  lag_seconds: number;
}

/** Lag: age of the oldest message of a kind that is due or was tried before. */
const COUNT_PENDING = sql<PendingRow>('metrics.countPending')`
  select
    o.kind,
    count(*) as pending,
    greatest(0, extract(epoch from now() - min(o.created_at) filter (where o.next_attempt_at <= now() or o.attempts > 0)))::float8
      as lag_seconds
  from outbox o
  where o.status = 'pending'
  group by o.kind`;

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

const OUTCOMES = ['sent', 'dropped', 'failed', 'again'] as const;

/**
 * Registers the metrics of outbox and queues. Every kind begins at 0, so that a rate counts its first failure as well.
 * @param kinds of the deliveries here
 * @returns a function that counts the outcome of a delivery
 */
export function watchDeliveries(metrics: Metrics, db: Database, jobs: JobQueues | undefined, kinds: string[]) {
  const outcomes = metrics.counter('deliveries_total', 'Attempts to deliver, by kind and outcome', ['kind', 'outcome']);
  for (const kind of kinds) for (const outcome of OUTCOMES) outcomes.inc({ kind, outcome }, 0);
  const pending = () => db.asService((tx) => tx.rows(COUNT_PENDING));
  const perKind = async (value: (row: PendingRow) => number): Promise<Sample[]> => {
    const values = new Map(kinds.map((kind) => [kind, 0]));
    for (const row of await pending()) values.set(row.kind, value(row) ?? 0);
    return [...values].map(([kind, found]) => ({ labels: { kind }, value: found }));
  };
  metrics.measured('outbox_pending', 'Intents that wait, future ones included', ['kind'], () =>
    perKind((row) => row.pending),
  );
  metrics.measured('outbox_lag_seconds', 'Age of the oldest message whose turn has come', ['kind'], () =>
    perKind((row) => row.lag_seconds),
  );
  if (jobs) {
    metrics.measured('queue_jobs', 'Jobs by queue and state', ['queue', 'state'], async () => {
      const counts = await Promise.all(
        jobs.queues.map(async (queue) => ({ name: queue.name, states: await queue.getJobCounts(...STATES) })),
      );
      return counts.flatMap(({ name, states }) =>
        Object.entries(states).map(([state, value]) => ({ labels: { queue: name, state }, value })),
      );
    });
    metrics.measured('queue_oldest_job_seconds', 'Age of the oldest waiting job', ['queue'], () =>
      Promise.all(
        jobs.queues.map(async (queue) => {
          const [oldest] = await queue.getJobs(['waiting'], 0, 0, true);
          const age = oldest ? (Date.now() - oldest.timestamp) / 1000 : 0;
          return { labels: { queue: queue.name }, value: age };
        }),
      ),
    );
  }
  return (kind: string, outcome: Outcome['is']): void => outcomes.inc({ kind, outcome });
}
