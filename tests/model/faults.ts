import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Stage } from './stage.ts';

/** Begins at once; returns when everything is well again. `untilHealed` resolves when the story wants it to be. */
type Fault = (stage: Stage, untilHealed: Promise<void>) => Promise<void>;

const redisCommand = async (stage: Stage, command: (redis: Redis) => Promise<unknown>) => {
  const redis = new Redis(`redis://127.0.0.1:${stage.redisProxy.port}`, { lazyConnect: true, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  await redis.connect().then(
    () => command(redis),
    () => undefined, // it is away just now
  );
  redis.disconnect();
};

export const flushRedis: Fault = (stage) => redisCommand(stage, (redis) => redis.flushall());

/** Everything that may break, each as it is told of in a failing story. */
export const FAULTS = {
  'first API killed': (stage) => stage.restart('first'),
  'second API killed': (stage) => stage.restart('second'),
  'worker killed': (stage) => stage.restart('worker'),
  'Redis flushed': flushRedis,
  'Redis restarted, empty': (stage) => stage.restartRedis(100),
  'Redis away': async (stage, untilHealed) => {
    stage.redisProxy.cut();
    await untilHealed;
    stage.redisProxy.restore();
  },
  'Redis hangs': async (stage, untilHealed) => {
    stage.redisProxy.freeze();
    await Promise.race([untilHealed, pause(1_000)]);
    stage.redisProxy.restore();
  },
  'PostgreSQL connections killed': (stage) =>
    stage.troubled(async () => {
      await stage.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
      );
    }),
  'PostgreSQL restarted': (stage) =>
    stage.troubled(async () => {
      await stage.endPostgres('SIGINT');
      await stage.startPostgres();
    }),
  'PostgreSQL crashed': (stage) =>
    stage.troubled(async () => {
      await stage.endPostgres('SIGQUIT');
      await stage.startPostgres();
    }),
  /** Not a fault, but it takes locks on everybody's rows. */
  'nightly jobs run': async (stage) => {
    await stage.sql('select housekeeping_compact_old_workouts()');
    await stage.sql('select refresh_user_split_information()');
  },
  'providers fail': async (stage) => {
    stage.resend.failures.push(500, 429);
    stage.expo.failures.push(503, 'silence');
  },
  'picture store and key sets away': async (stage, untilHealed) => {
    stage.supabase.isDown = true;
    stage.google.isDown = true;
    stage.apple.isDown = true;
    await stage.troubled(() => untilHealed);
    stage.supabase.isDown = false;
    stage.google.isDown = false;
    stage.apple.isDown = false;
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
