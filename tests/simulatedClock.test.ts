import { expect } from 'vitest';
import { newPhone } from './helpers/person.ts';
import { type TestServer, withServer } from './helpers/server.ts';

const it = withServer();

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Four weeks; clocks rise on 8 March in New York, on 27 March in Jerusalem, and on 29 March in Berlin. */
const START = Date.parse('2026-03-05T00:00:00Z');
const END = START + 28 * DAY_MS;

/** Where people live, when they train (local), how long before it they want to be reminded, and how often they skip. */
const HABITS = [
  { zone: 'America/New_York', weekdays: [1, 4], time: '20:30', offset: 60, skips: 0 },
  { zone: 'Asia/Jerusalem', weekdays: [0, 3], time: '06:15', offset: 30, skips: 3 },
  { zone: 'Europe/Berlin', weekdays: [2], time: '00:10', offset: 60, skips: 0 },
  { zone: 'Australia/Lord_Howe', weekdays: [5, 6], time: '18:00', offset: 0, skips: 4 },
  { zone: 'Pacific/Chatham', weekdays: [1], time: '23:50', offset: 90, skips: 0 },
  { zone: 'Asia/Kathmandu', weekdays: [6], time: '12:00', offset: 1440, skips: 0 },
  { zone: 'America/Los_Angeles', weekdays: [0, 2, 4], time: '05:05', offset: 15, skips: 5 },
  { zone: 'Pacific/Kiritimati', weekdays: [3], time: '00:30', offset: 60, skips: 0 },
  { zone: 'UTC', weekdays: [0], time: '00:00', offset: 60, skips: 2 },
  { zone: 'Africa/Casablanca', weekdays: [1, 3, 5], time: '19:45', offset: 120, skips: 0 },
] as const;

interface Person {
  habit: (typeof HABITS)[number];
  id: string;
  splits: number[];
  /** What was trained, by split. */
  workouts: Array<{ split: number; start: number }>;
}

const parts = (zone: string) =>
  new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hourCycle: 'h23',
  });
const formats = new Map(HABITS.map(({ zone }) => [zone, parts(zone)]));
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** What a clock on the wall shows. */
function wall(zone: (typeof HABITS)[number]['zone'], instant: number) {
  const shown = Object.fromEntries(
    (formats.get(zone) as Intl.DateTimeFormat).formatToParts(instant).map((p) => [p.type, p.value]),
  );
  return {
    weekday: WEEKDAYS.indexOf(shown.weekday ?? ''),
    time: `${shown.hour}:${shown.minute}`,
    day: `${shown.year}-${shown.month}-${shown.day}`,
  };
}

async function people(server: TestServer): Promise<Person[]> {
  return Promise.all(
    HABITS.map(async (habit) => {
      const { id } = await newPhone(server);
      await server.sql('update users set push_token = $2 where id = $1', [id, `ExponentPushToken[${id}]`]);
      await server.sql(
        'update user_reminder_settings set timezone = $2, reminder_offset_minutes = $3 where user_id = $1',
        [id, habit.zone, habit.offset],
      );
      const [plan] = await server.sql('insert into workoutplans (user_id) values ($1) returning id', [id]);
      const splits = await Promise.all(
        habit.weekdays.map(async (weekday) => {
          const [split] = await server.sql(
            'insert into workoutsplits (workout_id, name) values ($1, $2) returning id',
            [plan?.id, `Day ${weekday}`],
          );
          return Number(split?.id);
        }),
      );
      return { habit, id, splits, workouts: [] };
    }),
  );
}

/**
 * Which reminder a person should have at this minute, worked out from behaviour 4.8 and the wall clock alone:
 * the workout is so many minutes ahead, on the weekday and at the time of at least two workouts in the 21
 * days before the last full hour's look, and that look came before the reminder's minute.
 */
function expectedAt({ habit, splits, workouts }: Person, minute: number): number[] {
  const target = minute + habit.offset * MINUTE_MS;
  const look = Math.floor((minute - 1) / HOUR_MS) * HOUR_MS; // the schedule runs on the hour here
  return splits.filter((split, n) => {
    const { weekday, time } = wall(habit.zone, target);
    if (weekday !== habit.weekdays[n] || time !== habit.time) return false;
    // Every look within a day before could have enqueued it; the last one knows most.
    const known = workouts.filter(
      (done) => done.split === split && done.start < look && done.start >= look - 21 * DAY_MS,
    );
    return known.length >= 2;
  });
}

it('four weeks of habits in ten zones, across changes of clocks: every push that should exist does, at its minute, and no other', async ({
  server,
}) => {
  const everybody = await people(server);
  const expected: string[] = [];
  for (let hour = START; hour < END; hour += HOUR_MS) {
    // What people trained in the last hour, they log now.
    for (const person of everybody) {
      for (let minute = hour - HOUR_MS; minute < hour; minute += MINUTE_MS) {
        const { weekday, time } = wall(person.habit.zone, minute);
        const n = (person.habit.weekdays as readonly number[]).indexOf(weekday);
        if (n < 0 || time !== person.habit.time) continue;
        const occurrence = person.workouts.length + 1;
        if (person.habit.skips && occurrence % person.habit.skips === 0) {
          person.workouts.push({ split: -1, start: minute }); // skipped
          continue;
        }
        const split = person.splits[n] as number;
        await server.sql(
          'insert into workout_summary (user_id, workoutsplit_id, workout_start_utc, workout_end_utc) values ($1, $2, $3, $3)',
          [person.id, split, new Date(minute)],
        );
        person.workouts.push({ split, start: minute });
      }
    }
    const now = new Date(hour);
    await server.sql('select refresh_user_split_information($1)', [now]);
    await server.sql('select app.enqueue_workout_reminders($1)', [now]);
    if (hour % (6 * HOUR_MS) === 0) await server.sql('select app.enqueue_workout_reminders($1)', [now]); // twice changes nothing
    for (let minute = hour + MINUTE_MS; minute <= hour + HOUR_MS; minute += MINUTE_MS) {
      for (const person of everybody) {
        for (const split of expectedAt(person, minute))
          expected.push(`${person.habit.zone} ${split} ${new Date(minute).toISOString()}`);
      }
    }
  }
  const zoneOf = new Map(everybody.map(({ id, habit }) => [id, habit.zone]));
  const rows = await server.sql<{ user_id: string; split: string; at: Date }>(
    "select user_id, split_part(dedupe_key, ':', 3) as split, next_attempt_at as at from outbox where kind = 'push.reminder'",
  );
  const actual = rows.map((row) => `${zoneOf.get(row.user_id)} ${row.split} ${row.at.toISOString()}`);
  // Enqueued up to a day ahead: what lies behind the end of the simulation is not compared.
  const before = (line: string) => Date.parse(line.split(' ')[2] as string) < END;
  expect(actual.filter(before).toSorted()).toEqual(expected.filter(before).toSorted());
  expect(expected).toHaveLength(30);
}, 180_000);
