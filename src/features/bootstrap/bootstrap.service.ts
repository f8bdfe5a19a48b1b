import { readCardio } from '#features/aerobics/aerobics.service.ts';
import { readInbox } from '#features/messages/messages.service.ts';
import { readTracking } from '#features/tracking/tracking.service.ts';
import { readProfile } from '#features/users/users.service.ts';
import { readPlan } from '#features/workouts/workouts.service.ts';
import type { Log } from '#platform/log/log.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { sql } from '#platform/postgres/query.ts';

const STORE_ZONE = sql('bootstrap.storeZone')`
  update user_reminder_settings urs
  set timezone = $2,
      updated_at = now()
  where urs.user_id = $1
    and urs.timezone <> $2`;

/** Remembers where the person is, for reminders; a failure is logged and changes nothing else. */
export async function storeZone(tx: Transaction, log: Log, userId: string, zone: string): Promise<void> {
  const failure = await tx.attempt(async () => void (await tx.rows(STORE_ZONE, [userId, zone])));
  if (failure) log.error({ err: failure }, 'the zone of a person was not stored');
}

/** The parts by the same functions as the single routes. A part that fails is left out: the app asks for it directly. */
export async function readBootstrap(tx: Transaction, log: Log, userId: string, zone: string) {
  async function part<T>(name: string, read: () => Promise<T>): Promise<T | undefined> {
    let value: T | undefined;
    const failure = await tx.attempt(async () => {
      value = await read();
    });
    if (failure) log.error({ err: failure, part: name }, 'a part of bootstrap failed');
    return failure ? undefined : value;
  }
  return {
    user: await part('user', () => readProfile(tx, userId)),
    workout: await part('workout', async () => (await readPlan(tx, userId, zone)) ?? { workoutPlan: null }),
    tracking: await part('tracking', () => readTracking(tx, userId, zone)),
    aerobics: await part('aerobics', () => readCardio(tx, userId, zone)),
    messages: await part('messages', () => readInbox(tx, userId, zone)),
  };
}
