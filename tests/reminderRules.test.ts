import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

/*
 * The edges of what the database decides about reminders (behaviour 4.8), one at a time. Without a server: its schedule
 * would refresh habits and enqueue reminders of its own.
 */

let url: string;
let pool: pg.Pool;
const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
  (await pool.query<Row>(text, values)).rows;

beforeAll(async () => {
  const database = new URL(inject('superuserUrl'));
  const owner = new pg.Client({ connectionString: database.href });
  await owner.connect();
  database.pathname = `/reminder_rules_${process.pid}`;
  await owner.query(`create database reminder_rules_${process.pid} template strong_together owner strong_together`);
  await owner.end();
  url = database.href;
  pool = new pg.Pool({ connectionString: url, max: 3 });
});
afterAll(() => pool.end());

interface Person {
  id: string;
  planId: string;
  splitId: string;
}

async function person(zone = 'UTC'): Promise<Person> {
  const id = randomUUID();
  await sql(
    `insert into users (id, username, email, name, password, is_verified)
     values ($1::uuid, $1::text, $1::text || '@example.com', 'Dana Kay', 'no hash', true)`,
    [id],
  );
  await sql('update user_reminder_settings set timezone = $2 where user_id = $1', [id, zone]);
  await sql('update users set push_token = $2 where id = $1', [id, `ExponentPushToken[${id}]`]);
  const [plan] = await sql<{ id: string }>('insert into workoutplans (user_id) values ($1) returning id', [id]);
  const planId = plan?.id ?? '';
  return { id, planId, splitId: await addSplit(planId) };
}

async function addSplit(planId: string, name = 'A'): Promise<string> {
  const [split] = await sql<{ id: string }>(
    'insert into workoutsplits (workout_id, name) values ($1, $2) returning id',
    [planId, name],
  );
  return split?.id ?? '';
}

describe('which reminders are enqueued, and until when', () => {
  const TUESDAY = '2031-03-04';
  let dana: Person;

  beforeEach(async () => {
    await sql('delete from outbox');
    await sql('delete from user_split_information');
    dana = await person();
    await sql(
      `insert into user_split_information (user_id, split_id, estimated_time_utc, confidence, preferred_weekday)
       values ($1, $2, $3, 0.60, 2)`,
      [dana.id, dana.splitId, `${TUESDAY}T18:00:00Z`],
    );
  });

  const habit = (changes: string) => sql(`update user_split_information set ${changes} where user_id = $1`, [dana.id]);
  const setting = (changes: string) =>
    sql(`update user_reminder_settings set ${changes} where user_id = $1`, [dana.id]);
  const enqueue = async (now: string) => {
    const [row] = await sql<{ n: string }>('select app.enqueue_workout_reminders($1) as n', [now]);
    return Number(row?.n);
  };
  const intents = async () =>
    (
      await sql<{ at: Date; expires: Date; made: Date; payload: unknown }>(
        `select next_attempt_at as at, expires_at as expires, created_at as made, payload
         from outbox where user_id = $1 order by next_attempt_at`,
        [dana.id],
      )
    ).map(({ at, expires, made, payload }) => ({
      at: at.toISOString(),
      expires: expires.toISOString(),
      made: made.toISOString(),
      payload,
    }));
  const payload = (offset: string) => ({
    tokenHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    splitId: dana.splitId,
    offset,
  });

  it('an hour before the workout, until a quarter of an hour after it', async () => {
    expect(await enqueue(`${TUESDAY}T06:00:00Z`)).toBe(1);
    expect(await intents()).toEqual([
      {
        at: '2031-03-04T17:00:00.000Z',
        expires: '2031-03-04T18:15:00.000Z',
        made: '2031-03-04T06:00:00.000Z',
        payload: payload('60'),
      },
    ]);
  });

  it.each([
    [-5, '0', '2031-03-04T18:00:00.000Z', '2031-03-04T18:15:00.000Z'],
    [0, '0', '2031-03-04T18:00:00.000Z', '2031-03-04T18:15:00.000Z'],
    [1, '1', '2031-03-04T17:59:00.000Z', '2031-03-04T18:15:00.000Z'],
    [720, '720', '2031-03-04T06:00:00.000Z', '2031-03-04T18:15:00.000Z'],
    [1440, '1440', '2031-03-03T18:00:00.000Z', '2031-03-04T18:15:00.000Z'],
    [1441, '1440', '2031-03-03T18:00:00.000Z', '2031-03-04T18:15:00.000Z'],
  ])('an offset of %i minutes counts as %s', async (minutes, counted, at, expires) => {
    await setting(`reminder_offset_minutes = ${minutes}`);
    // Half a day before, so that the last moment of any reminder lies beyond the workout.
    const now = new Date(Date.parse(at) - 12 * 3_600_000);
    expect(await enqueue(now.toISOString())).toBe(1);
    const last = new Date(Math.min(Date.parse(expires), now.getTime() + (24 * 60 + 15) * 60_000)).toISOString();
    expect(await intents()).toEqual([{ at, expires: last, made: now.toISOString(), payload: payload(counted) }]);
  });

  it('never waits longer than a day and a quarter of an hour', async () => {
    await setting('reminder_offset_minutes = 1440');
    await enqueue('2031-03-03T06:00:00Z');
    expect(await intents()).toMatchObject([{ at: '2031-03-03T18:00:00.000Z', expires: '2031-03-04T06:15:00.000Z' }]);
  });

  it.each([
    ['2031-03-03T16:59:59Z', 0],
    ['2031-03-03T17:00:00Z', 1],
    ['2031-03-04T16:59:59Z', 1],
    ['2031-03-04T17:00:00Z', 0],
    ['2031-03-04T18:00:00Z', 0],
    ['2031-03-05T00:00:00Z', 0],
    ['2031-03-11T00:00:00Z', 1],
  ])('falls due in the day after %s: %i', async (now, number) => {
    expect(await enqueue(now)).toBe(number);
    expect(await intents()).toHaveLength(number);
  });

  it('is one for each split, day and person, and on its minute whenever it is enqueued', async () => {
    const other = await addSplit(dana.planId, 'B');
    await sql(
      `insert into user_split_information (user_id, split_id, estimated_time_utc, confidence, preferred_weekday)
       values ($1, $2, $3, 1.00, 2)`,
      [dana.id, other, `${TUESDAY}T20:30:00Z`],
    );
    expect(await enqueue(`${TUESDAY}T06:00:00.789Z`)).toBe(2);
    const times = (await intents()).map(({ at }) => at);
    expect(times).toEqual(['2031-03-04T17:00:00.000Z', '2031-03-04T19:30:00.000Z']);
    await sql("update outbox set status = 'sent', finished_at = next_attempt_at");
    expect(await enqueue('2031-03-11T06:00:00Z')).toBe(2);
  });

  it('knows Sunday', async () => {
    await habit('preferred_weekday = 0');
    expect(await enqueue('2031-03-09T06:00:00Z')).toBe(1);
  });

  it('a reminder of tomorrow is one, that of the day after is none', async () => {
    await setting('reminder_offset_minutes = 1440');
    expect(await enqueue('2031-03-02T23:00:00Z')).toBe(0);
    expect(await enqueue('2031-03-03T00:00:00Z')).toBe(1);
  });

  it.each([
    ['a habit that is not sure', () => habit('confidence = 0.59')],
    ['a habit of another weekday', () => habit('preferred_weekday = 3')],
    ['a habit without a weekday', () => habit('preferred_weekday = null')],
    ['reminders that are off', () => setting('workout_reminders_enabled = false')],
    ['no phone', () => sql('update users set push_token = null where id = $1', [dana.id])],
  ])('%s: none', async (_what, spoil) => {
    await spoil();
    expect(await enqueue(`${TUESDAY}T06:00:00Z`)).toBe(0);
  });

  it('one that waits follows the habit, the setting and the phone; one that was tried or sent does not', async () => {
    const now = `${TUESDAY}T06:00:00Z`;
    await enqueue(now);
    const versionOf = () => sql('select xmin::text as version from outbox where user_id = $1', [dana.id]);
    const before = await versionOf();
    expect(await enqueue(`${TUESDAY}T07:00:00Z`)).toBe(0);
    expect(await versionOf()).toEqual(before); // nothing changed, nothing is written

    await habit(`estimated_time_utc = '${TUESDAY}T19:00:00Z'`);
    expect(await enqueue(now)).toBe(0);
    const moved = { at: '2031-03-04T18:00:00.000Z', expires: '2031-03-04T19:15:00.000Z' };
    expect(await intents()).toMatchObject([{ ...moved, payload: payload('60') }]);

    // The same minute with another offset: the text is another one.
    await habit(`estimated_time_utc = '${TUESDAY}T18:30:00Z'`);
    await setting('reminder_offset_minutes = 30');
    expect(await enqueue(now)).toBe(0);
    const sooner = { at: '2031-03-04T18:00:00.000Z', expires: '2031-03-04T18:45:00.000Z', payload: payload('30') };
    expect(await intents()).toMatchObject([sooner]);

    await habit(`estimated_time_utc = '${TUESDAY}T20:00:00Z'`);
    await sql('update outbox set attempts = 1 where user_id = $1', [dana.id]);
    expect(await enqueue(now)).toBe(0);
    expect(await intents()).toMatchObject([sooner]);
    await sql("update outbox set attempts = 0, status = 'dropped' where user_id = $1", [dana.id]);
    expect(await enqueue(now)).toBe(0);
    expect(await intents()).toMatchObject([sooner]);
  });

  it.each([
    ['sent', '2031-03-04T00:00:01Z', 0],
    ['sent', '2031-03-04T00:00:00Z', 1],
    ['failed', '2031-03-04T00:00:01Z', 1],
    ['dropped', '2031-03-04T00:00:01Z', 1],
  ])('one of the day before or after that was %s at %s, 12:00 being the next: %i', async (status, at, number) => {
    await habit(`estimated_time_utc = '${TUESDAY}T13:00:00Z'`);
    for (const day of ['2031-03-03', '2031-03-05']) {
      await sql(
        `insert into outbox (kind, user_id, dedupe_key, expires_at, status, finished_at)
         values ('push.reminder', $1, $2, $3, $4, $3)`,
        [dana.id, `push.reminder:${dana.id}:${dana.splitId}:${day}`, at, status],
      );
      expect([day, await enqueue(`${TUESDAY}T06:00:00Z`)]).toEqual([day, number]);
      await sql('delete from outbox where user_id = $1', [dana.id]);
    }
  });

  it('of another split, or of two days away, one that was sent stops nothing', async () => {
    const other = await addSplit(dana.planId, 'B');
    const sent = [`${other}:2031-03-03`, `${dana.splitId}:2031-03-02`, `${dana.splitId}:2031-03-06`];
    for (const key of sent) {
      await sql(
        `insert into outbox (kind, user_id, dedupe_key, expires_at, status, finished_at)
         values ('push.reminder', $1, $2, $3, 'sent', $3)`,
        [dana.id, `push.reminder:${dana.id}:${key}`, '2031-03-04T12:00:00Z'],
      );
    }
    expect(await enqueue(`${TUESDAY}T06:00:00Z`)).toBe(1);
  });
});

describe('what habit follows from the workouts of three weeks', () => {
  const train = (of: Person, start: string, splitId = of.splitId) =>
    sql(
      `insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
       values ($1, $2, $3, $3)`,
      [of.id, splitId, start],
    );
  const refresh = (now: string) => sql('select refresh_user_split_information($1)', [now]);
  const habits = async (of: Person) =>
    (
      await sql<{ next: Date; confidence: number; weekday: number; computed: Date }>(
        `select estimated_time_utc as next, confidence::float, preferred_weekday as weekday, last_computed_at as computed
         from user_split_information where user_id = $1 order by split_id`,
        [of.id],
      )
    ).map((row) => ({ ...row, next: row.next.toISOString(), computed: row.computed.toISOString() }));
  const NOW = '2031-03-24T12:00:00.000Z'; // a Monday

  it('a workout counts for 21 days to the second', async () => {
    const [young, old] = [await person(), await person()];
    await train(young, '2031-03-03T12:00:00Z');
    await train(old, '2031-03-03T11:59:59Z');
    await refresh(NOW);
    expect(await habits(young)).toEqual([
      { next: '2031-03-24T12:00:00.000Z', confidence: 0.3, weekday: 1, computed: NOW },
    ]);
    expect(await habits(old)).toEqual([]);
  });

  it('two workouts on a weekday are a habit, three or more a sure one', async () => {
    const dana = await person();
    const confidences = [];
    for (const start of [
      '2031-03-05T10:00:00Z',
      '2031-03-12T10:00:00Z',
      '2031-03-19T10:00:00Z',
      '2031-03-19T10:00:01Z',
    ]) {
      await train(dana, start);
      await refresh(NOW);
      confidences.push((await habits(dana))[0]?.confidence);
    }
    expect(confidences).toEqual([0.3, 0.6, 1, 1]);
  });

  it('the weekday with most workouts, among equals the one of the last workout', async () => {
    const dana = await person();
    await train(dana, '2031-03-04T10:00:00Z'); // Tuesday
    await train(dana, '2031-03-06T08:00:00Z'); // Thursday
    await refresh('2031-03-07T00:00:00Z');
    expect(await habits(dana)).toMatchObject([{ next: '2031-03-13T08:00:00.000Z', confidence: 0.3, weekday: 4 }]);
    await train(dana, '2031-03-11T10:00:00Z'); // Tuesday again
    await train(dana, '2031-03-15T10:00:00Z'); // Saturday
    await refresh('2031-03-16T00:00:00Z');
    expect(await habits(dana)).toMatchObject([{ next: '2031-03-18T10:00:00.000Z', confidence: 0.6, weekday: 2 }]);
  });

  it('among equals the last workout decides, not the first one', async () => {
    const dana = await person();
    for (const day of ['04', '18']) await train(dana, `2031-03-${day}T10:00:00Z`); // Tuesdays
    for (const day of ['06', '13']) await train(dana, `2031-03-${day}T08:00:00Z`); // Thursdays
    await refresh(NOW);
    expect(await habits(dana)).toMatchObject([{ weekday: 2 }]);
  });

  it('is one for each split', async () => {
    const dana = await person();
    const second = await addSplit(dana.planId, 'B');
    await train(dana, '2031-03-18T10:00:00Z');
    await train(dana, '2031-03-19T09:00:00Z', second);
    await refresh(NOW);
    expect(await habits(dana)).toMatchObject([
      { next: '2031-03-25T10:00:00.000Z', confidence: 0.3, weekday: 2 },
      { next: '2031-03-26T09:00:00.000Z', confidence: 0.3, weekday: 3 },
    ]);
  });

  it('is for today when today is its day, even when its time is over, else for the next such day', async () => {
    const dana = await person();
    await train(dana, '2031-03-18T10:00:00Z'); // Tuesday
    for (const [now, next] of [
      ['2031-03-24T23:59:59Z', '2031-03-25T10:00:00.000Z'],
      ['2031-03-25T00:00:00Z', '2031-03-25T10:00:00.000Z'],
      ['2031-03-25T23:59:59Z', '2031-03-25T10:00:00.000Z'],
      ['2031-03-26T00:00:00Z', '2031-04-01T10:00:00.000Z'],
    ] as const) {
      await refresh(now);
      expect(await habits(dana)).toMatchObject([{ next, confidence: 0.3, weekday: 2 }]);
    }
  });

  it('is the mean time of day to the second', async () => {
    const [early, late, noon] = [await person(), await person(), await person()];
    for (const time of ['06:00:00', '06:00:04']) await train(early, `2031-03-18T${time}Z`);
    for (const time of ['23:00:00', '23:30:00']) await train(late, `2031-03-18T${time}Z`);
    for (const time of ['11:59:00', '12:02:00']) await train(noon, `2031-03-18T${time}Z`);
    const third = await person();
    for (const time of ['06:00:00', '06:00:01']) await train(third, `2031-03-18T${time}Z`);
    await train(third, '2031-03-11T06:00:00Z');
    await refresh(NOW);
    expect((await habits(early))[0]?.next).toBe('2031-03-25T06:00:02.000Z');
    expect((await habits(third))[0]?.next).toBe('2031-03-25T06:00:00.000Z');
    expect((await habits(late))[0]?.next).toBe('2031-03-25T23:15:00.000Z');
    expect((await habits(noon))[0]?.next).toBe('2031-03-25T12:00:30.000Z');
  });

  it('is by the local weekday, and says the one of UTC', async () => {
    const [west, east] = [await person('America/Los_Angeles'), await person('Pacific/Kiritimati')];
    await train(west, '2031-03-19T03:00:00Z'); // Tuesday 20:00 there
    await train(east, '2031-03-17T11:00:00Z'); // Tuesday 01:00 there
    await refresh(NOW);
    expect(await habits(west)).toEqual([
      { next: '2031-03-26T03:00:00.000Z', confidence: 0.3, weekday: 3, computed: NOW },
    ]);
    // It is Tuesday 02:00 there already.
    expect(await habits(east)).toEqual([
      { next: '2031-03-24T11:00:00.000Z', confidence: 0.3, weekday: 1, computed: NOW },
    ]);
  });

  it('is for the day that it is there, not for that of UTC', async () => {
    const east = await person('Pacific/Kiritimati');
    await train(east, '2031-03-16T11:00:00Z'); // Monday 01:00 there
    await refresh(NOW); // still Monday, but not there
    expect(await habits(east)).toMatchObject([{ next: '2031-03-30T11:00:00.000Z', weekday: 0 }]);
  });

  it('is computed anew each time, and that is said', async () => {
    const dana = await person();
    await train(dana, '2031-03-18T10:00:00Z');
    for (const now of [NOW, '2031-03-24T13:00:00.000Z']) {
      await refresh(now);
      expect(await habits(dana)).toMatchObject([{ computed: now }]);
    }
  });

  it('goes with its workouts, its split or its plan, and leaves that of another split', async () => {
    const dana = await person();
    const second = await addSplit(dana.planId, 'B');
    await train(dana, '2031-03-04T10:00:00Z');
    await train(dana, '2031-03-18T10:00:00Z', second);
    const splits = () => sql('select split_id as id from user_split_information where user_id = $1', [dana.id]);
    await refresh(NOW);
    expect(await splits()).toHaveLength(2);
    await refresh('2031-03-26T00:00:00Z');
    expect(await splits()).toEqual([{ id: second }]);
    await sql('update workoutsplits set is_active = false where id = $1', [second]);
    await refresh(NOW);
    expect(await splits()).toEqual([{ id: dana.splitId }]);
  });

  it('is of the own active plan and its active splits alone', async () => {
    const [dana, kay] = [await person(), await person()];
    await train(dana, '2031-03-18T10:00:00Z', kay.splitId);
    await refresh(NOW);
    expect(await habits(dana)).toEqual([]);
    await train(dana, '2031-03-18T11:00:00Z');
    await refresh(NOW);
    expect(await habits(dana)).toHaveLength(1);
    await sql('update workoutplans set is_active = false where id = $1', [dana.planId]);
    await refresh(NOW);
    expect(await habits(dana)).toEqual([]);
  });

  it('tells how many habits there are', async () => {
    await sql('delete from workout_summary');
    const [dana, kay] = [await person(), await person()];
    for (const each of [dana, kay]) await train(each, '2031-03-18T10:00:00Z');
    for (let n = 0; n < 2; n++) {
      expect(await refresh(NOW)).toEqual([{ refresh_user_split_information: '2' }]);
    }
  });
});

describe('at the same time as something else', () => {
  /** Another connection, with a transaction open. */
  async function meanwhile(work: (other: pg.Client) => Promise<void>) {
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    try {
      await other.query('begin');
      await work(other);
    } finally {
      await other.end();
    }
  }
  const untilOneWaits = (text: string) =>
    vi.waitFor(async () => {
      const waiting = await sql(
        `select from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock' and query like $1`,
        [`%${text}%`],
      );
      expect(waiting).not.toHaveLength(0);
    }, 20_000);

  it.each([
    ['refresh_user_split_information', '2031-03-03T12:00:00Z', 'user_split_information'],
    ['app.enqueue_workout_reminders', '2031-03-04T06:00:00Z', 'outbox'],
  ])('%s waits for a deletion and does without whom it removed', async (name, now, table) => {
    await sql('delete from outbox');
    await sql('delete from workout_summary');
    const [gone, stays] = [await person(), await person()];
    for (const { id, splitId } of [gone, stays]) {
      for (const start of ['2031-02-18T18:00:00Z', '2031-02-25T18:00:00Z']) {
        await sql(
          `insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc)
           values ($1, $2, $3, $3)`,
          [id, splitId, start],
        );
      }
    }
    if (table === 'outbox') await sql("select refresh_user_split_information('2031-03-03T12:00:00Z')");
    await meanwhile(async (other) => {
      await other.query('delete from users where id = $1', [gone.id]);
      const done = sql(`select ${name}($1)`, [now]);
      await Promise.race([untilOneWaits(name), done]);
      await other.query('commit');
      await done;
    });
    expect(await sql(`select user_id as id from ${table}`)).toEqual([{ id: stays.id }]);
  });

  it('two refreshes take turns', async () => {
    // With nobody's habits there is nothing else that one could wait for.
    await sql('delete from workout_summary');
    await sql('delete from user_split_information');
    const refresh = 'select refresh_user_split_information()';
    await meanwhile(async (other) => {
      await other.query(refresh);
      const second = sql(refresh);
      await untilOneWaits('refresh_user_split_information');
      await other.query('commit');
      expect(await second).toHaveLength(1);
    });
  });
});

it('the delay until a reminder is to the millisecond, and none once its minute has come', async () => {
  const delay = async (now: string, offset: number, estimated = '2029-06-05T18:45:59.999Z') => {
    const [row] = await sql<{ ms: string | null }>(
      "select app.compute_delay_from_utc($1, '2030-01-01', $2, $3) as ms",
      [now, estimated, offset],
    );
    return row?.ms === null ? null : Number(row?.ms);
  };
  expect(await delay('2030-01-01T17:44:59.999Z', 60)).toBe(1);
  expect(await delay('2030-01-01T17:45:00Z', 60)).toBeNull();
  expect(await delay('2030-01-01T18:44:00Z', 0)).toBe(60_000);
  expect(await delay('2030-01-01T18:44:00Z', -1)).toBe(60_000);
  expect(await delay('2030-01-01T18:42:30Z', 1)).toBe(90_000);
  expect(await delay('2029-12-31T18:45:00Z', 1439)).toBe(60_000);
  expect(await delay('2029-12-31T18:44:00Z', 1440)).toBe(60_000);
  expect(await delay('2029-12-31T18:44:00Z', 1441)).toBe(60_000);
});
