import { ENQUEUE_DAILY_PUSHES, ENQUEUE_REMINDERS } from '#features/push/push.queries.ts';
import { fetchReceipts } from '#features/push/push.service.ts';
import type { Log } from '#platform/log/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Pusher } from '#platform/push/pusher.ts';
import type { Config } from '#src/config.ts';
import { cleanUp } from './cleaner.ts';

/** Something done at certain times. Each is safe to run late, twice, or on several instances at once. */
export interface Task {
  name: string;
  /** The next time after an instant. */
  next: (after: Date) => Date;
  run: () => Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A statement about everybody may take so long. */
const LONG_MS = 5 * MINUTE_MS;
const PEOPLE_AT_ONCE = 20;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

const REFRESH_HABITS = sql('schedule.refreshHabits')`
  select refresh_user_split_information()`;

const COMPACT_NEXT = sql<{ last_id: string | null }>('schedule.compactNext')`
  select c.last_id
  from app.compact_old_workouts($1, $2) c`;

/** Every so often, counted from midnight UTC, and so many milliseconds later. */
const every =
  (period: number, offset = 0) =>
  (after: Date) =>
    new Date((Math.floor((after.getTime() - offset) / period) + 1) * period + offset);

/** What the workers do by themselves, without any outside scheduler. Times are UTC. */
export function scheduledTasks(config: Config, db: Database, pusher: Pusher, log: Log, wake: () => void): Task[] {
  return [
    {
      name: 'reminders',
      next: every(HOUR_MS, 7 * MINUTE_MS),
      run: async () => {
        await db.asService((tx) => tx.rows(REFRESH_HABITS), LONG_MS);
        await db.asService((tx) => tx.rows(ENQUEUE_REMINDERS), LONG_MS);
        wake();
      },
    },
    {
      name: 'daily push',
      next: every(HOUR_MS, 7 * MINUTE_MS),
      run: async () => {
        if (config.DAILY_PUSH_HOUR === 'off') return;
        await db.asService((tx) => tx.rows(ENQUEUE_DAILY_PUSHES, [config.DAILY_PUSH_HOUR]), LONG_MS);
        wake();
      },
    },
    {
      name: 'receipts',
      next: every(MINUTE_MS),
      run: () => fetchReceipts(db, pusher, log, config.PUSH_RECEIPT_AGE_SEC),
    },
    { name: 'cleaning', next: every(10 * MINUTE_MS), run: () => cleanUp(db) },
    { name: 'housekeeping', next: every(DAY_MS, 3 * HOUR_MS + 37 * MINUTE_MS), run: () => compactOldWorkouts(db) },
  ];
}

/** A few people in each transaction: nobody's request waits. */
async function compactOldWorkouts(db: Database): Promise<void> {
  let after: string | null = BEFORE_ALL;
  while (after !== null) {
    const from: string = after;
    after = (await db.asService((tx) => tx.one(COMPACT_NEXT, [from, PEOPLE_AT_ONCE]))).last_id;
  }
}

/** Runs tasks at their times. @returns stops it and waits for what is under way */
export function startSchedule(tasks: Task[], log: Log): () => Promise<void> {
  const timers = new Map<Task, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();

  function plan(task: Task): void {
    const delay = task.next(new Date()).getTime() - Date.now();
    timers.set(task, setTimeout(() => start(task), delay).unref());
  }

  function start(task: Task): void {
    const run: Promise<void> = task
      .run()
      .catch((error) => log.error({ err: error, task: task.name }, 'a scheduled task failed'))
      .finally(() => {
        running.delete(run);
        if (timers.has(task)) plan(task);
      });
    running.add(run);
  }

  for (const task of tasks) plan(task);
  return async () => {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
    await Promise.all(running);
  };
}
