import { setTimeout as pause } from 'node:timers/promises';
import { DelayedError, type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Log } from './log.ts';
import { connectRedis, openRedis, readRedisUrl } from './redis.ts';

/** A job holds an id and nothing else: what is to be done is looked up when it runs. */
export interface PlannedJob {
  /** The same id is one job, however often it is added. */
  id: string;
  kind: string;
  maxAttempts: number;
}

export interface RunningJob extends PlannedJob {
  /** From 1 on. */
  attempt: number;
}

/** What came of one attempt. */
export type JobResult =
  | { is: 'done' }
  /** Tried again with growing pauses, while there are attempts left. */
  | { is: 'again'; reason: string }
  /** Not this job's fault: it comes back later and no attempt is counted. */
  | { is: 'later'; waitMs: number }
  /** The whole queue pauses. */
  | { is: 'throttled'; waitMs: number }
  | { is: 'final'; reason: string };

export interface WorkOptions {
  concurrency: number;
  /** Most jobs per second, of all workers of the queue together. */
  mostPerSecond: number;
}

export type JobQueues = Awaited<ReturnType<typeof openJobQueues>>;

const BACKOFF = { type: 'exponential', delay: 5_000, jitter: 0.2 };
const KEPT_FAILURES = { age: 7 * 24 * 60 * 60, count: 1_000 };

/** Longer than any blocking read: a connection on which nothing arrives for so long is dead. */
const SILENCE_MS = 20_000;
/** Longest wait for running jobs when the process stops; one that takes longer is run again by another process. */
const LONGEST_CLOSE_MS = 8_000;
/** Longer than for other commands, because the operator's console reads long lists. */
const COMMAND_TIMEOUT_MS = 5_000;

/** Queues on BullMQ, shared by all instances. @throws StartupError when Redis cannot be reached at the start */
export async function openJobQueues(redisUrl: string, log: Log, names: readonly string[]) {
  const adding = await connectRedis(redisUrl, log, COMMAND_TIMEOUT_MS);
  // Workers wait in blocking reads, however long Redis is away.
  const working = openRedis(redisUrl, { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS });
  // A queue's scripts use many keys, which a cluster wants on one node: those with the same text in braces are.
  const prefix = readRedisUrl(redisUrl).kind === 'cluster' ? '{bull}' : 'bull';
  working.on('error', () => undefined); // the other connections log it
  const queues = new Map(
    names.map((name) => [name, new Queue(name, { connection: adding, prefix, skipWaitingForReady: true })]),
  );
  for (const queue of queues.values())
    queue.on('error', (error) => log.debug({ err: error }, 'a queue was not reached'));
  const workers: Worker[] = [];

  function queueOf(name: string): Queue {
    const queue = queues.get(name);
    if (!queue) throw new Error(`there is no queue ${name}`);
    return queue;
  }

  return {
    queues: [...queues.values()],

    /** @throws when Redis is away */
    async add(name: string, jobs: PlannedJob[]): Promise<void> {
      await queueOf(name).addBulk(
        jobs.map(({ id, kind, maxAttempts }) => ({
          name: kind,
          data: {},
          opts: {
            jobId: id,
            attempts: maxAttempts,
            backoff: BACKOFF,
            removeOnComplete: true,
            removeOnFail: KEPT_FAILURES,
          },
        })),
      );
    },

    /** Removes a job that has ended, so that it can be added again. */
    async removeEnded(name: string, id: string): Promise<void> {
      const job = await queueOf(name).getJob(id);
      if (job && ((await job.isFailed()) || (await job.isCompleted()))) await job.remove();
    },

    /** Runs jobs in this process until `close`. A job whose process died is run again by another. */
    work(
      name: string,
      { concurrency, mostPerSecond }: WorkOptions,
      run: (job: RunningJob) => Promise<JobResult>,
    ): void {
      const worker = new Worker(
        name,
        async (job: Job, token) => {
          const { attempts = 1, jobId = job.id ?? '' } = job.opts;
          const result = await run({
            id: jobId,
            kind: job.name,
            maxAttempts: attempts,
            attempt: job.attemptsMade + 1,
          });
          if (result.is === 'again') throw new Error(result.reason);
          if (result.is === 'final') throw new UnrecoverableError(result.reason);
          if (result.is === 'throttled') {
            await worker.rateLimit(result.waitMs);
            throw Worker.RateLimitError();
          }
          if (result.is === 'later') {
            await job.moveToDelayed(Date.now() + result.waitMs, token);
            throw new DelayedError();
          }
        },
        {
          connection: working,
          prefix,
          concurrency,
          limiter: { max: mostPerSecond, duration: 1_000 },
          maxStalledCount: 1_000, // `run` decides when a job has failed, not how often its process died
        },
      );
      worker.on('error', (error) => log.debug({ err: error }, 'a worker lost its queue'));
      workers.push(worker);
    },

    /** Waits for running jobs, unless Redis is away, and closes the queues. */
    async close(): Promise<void> {
      const isAway = adding.status !== 'ready';
      const closing = Promise.all(workers.map((worker) => worker.close(isAway)))
        .then(() => Promise.all([...queues.values()].map((queue) => queue.close())))
        .catch((error) => log.debug({ err: error }, 'the queues did not close'));
      await Promise.race([closing, pause(isAway ? 100 : LONGEST_CLOSE_MS)]);
      adding.disconnect();
      working.disconnect();
    },
  };
}
