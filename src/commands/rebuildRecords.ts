import { parseArgs } from 'node:util';
import { sql } from '#platform/postgres/query.ts';
import { type Command, UsageError } from './command.ts';

const USAGE = 'Usage: npm run db:rebuild-records [-- --after <user id>]';
const PEOPLE_AT_ONCE = 100;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';
/** One person's whole history may take so long, in milliseconds. */
const TIMEOUT_MS = 60_000;
const BAR_WIDTH = 30;

const COUNT_PEOPLE = sql<{ people: number }>('records.countPeople')`
  select count(*) as people
  from users u
  where u.id > $1`;

const LIST_PEOPLE = sql<{ id: string }>('records.listPeople')`
  select u.id
  from users u
  where u.id > $1
  order by u.id
  limit $2`;

const REBUILD = sql<{ changed: number }>('records.rebuild')`
  select app.rebuild_exercise_records($1) as changed`;

/**
 * Computes every person's records and best one-rep maxima anew from their sets, one person in each transaction,
 * beside a running server. Nobody is locked but those whose records are wrong. Safe to repeat, and it goes on where
 * an earlier run was interrupted.
 */
export const rebuildRecords: Command = async ({ db, args, say, progress }) => {
  let after = startOf(args);
  const { people } = await db.asService((tx) => tx.one(COUNT_PEOPLE, [after]));
  let [changed, done] = [0, 0];
  for (;;) {
    const from = after;
    const batch = await db.asService((tx) => tx.rows(LIST_PEOPLE, [from, PEOPLE_AT_ONCE]));
    if (batch.length === 0) break;
    for (const { id } of batch) {
      changed += (await db.asService((tx) => tx.one(REBUILD, [id]), TIMEOUT_MS)).changed;
      after = id;
      done++;
    }
    const filled = Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * done) / Math.max(1, people)));
    const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
    progress(`[${bar}] ${done} of ${people}; if this is interrupted, go on with --after ${after}`);
  }
  say(changed === 0 ? 'Every record was right.' : `${changed} records were wrong and are right now.`);
};

function startOf(args: string[]): string {
  try {
    return parseArgs({ args, options: { after: { type: 'string' } } }).values.after ?? BEFORE_ALL;
  } catch {
    throw new UsageError(USAGE);
  }
}
