import { parseArgs } from 'node:util';
import { BEFORE_ALL_IDS, batches } from '#platform/batches.ts';
import { COUNT_PEOPLE, LIST_PEOPLE, REBUILD } from './cli.queries.ts';
import { type Command, UsageError } from './command.ts';

const USAGE = 'Usage: npm run db:rebuild-records [-- --after <user id>]';
const PEOPLE_AT_ONCE = 100;
/** Time limit for one person's whole history, in milliseconds. */
const TIMEOUT_MS = 60_000;
/** How often progress is told inside a batch, in milliseconds. */
const REPORT_EVERY_MS = 1_000;
const BAR_WIDTH = 30;

/**
 * Computes every person's records and best one-rep maxima anew from their sets, one person in each transaction,
 * beside a running server. Only people whose records are wrong are locked. Safe to repeat; `--after` continues a run
 * that was interrupted.
 */
export const rebuildRecords: Command = async ({ db, args, say, progress }) => {
  const after = startOf(args);
  const startedAt = performance.now();
  const { people } = await db.asService((tx) => tx.one(COUNT_PEOPLE, [after]));
  let [changed, done, reportedAt] = [0, 0, startedAt];
  const report = (lastId: string) => {
    reportedAt = performance.now();
    const filled = Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * done) / Math.max(1, people)));
    const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
    const left = remaining(reportedAt - startedAt, done, people);
    progress(`[${bar}] ${done} of ${people}, ${left}; if this is interrupted, go on with --after ${lastId}`);
  };
  const next = async (from: string) => {
    const batch = await db.asService((tx) => tx.rows(LIST_PEOPLE, [from, PEOPLE_AT_ONCE]));
    for (const { id } of batch) {
      changed += (await db.asService((tx) => tx.one(REBUILD, [id]), TIMEOUT_MS)).changed;
      done++;
      if (performance.now() - reportedAt >= REPORT_EVERY_MS) report(id);
    }
    return { last_id: batch.at(-1)?.id ?? null };
  };
  for await (const { last_id } of batches(next, after)) report(last_id);
  say(changed === 0 ? 'Every record was right.' : `${changed} records were wrong and are right now.`);
};

/** What is left, if the others take as long: people who registered meanwhile make it longer. */
export function remaining(elapsedMs: number, done: number, people: number): string {
  const seconds = Math.ceil(((elapsedMs / Math.max(1, done)) * Math.max(0, people - done)) / 1_000);
  if (seconds < 60) return `about ${seconds} s left`;
  if (seconds < 3_600) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3_600).toFixed(1)} h left`;
}

function startOf(args: string[]): string {
  try {
    return parseArgs({ args, options: { after: { type: 'string' } } }).values.after ?? BEFORE_ALL_IDS;
  } catch {
    throw new UsageError(USAGE);
  }
}
