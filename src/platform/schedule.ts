import type { Log } from './log.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Time limit for a statement that touches everybody's rows. */
export const LONG_MS = 5 * MINUTE_MS;

/** Work that is done at certain times. It must be safe to run late, twice, or on several instances at once. */
export interface Task {
  name: string;
  /** The next time at which it runs, after an instant. */
  next: (after: Date) => Date;
  run: () => Promise<void>;
}

/** Runs at every multiple of `period` since midnight UTC, plus `offset`; both in milliseconds. */
export const every =
  (period: number, offset = 0) =>
  (after: Date) =>
    new Date((Math.floor((after.getTime() - offset) / period) + 1) * period + offset);

/** Runs tasks at their times. @returns a function that stops this and waits for tasks that are running */
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
