// A first week with Strong Together, against a running server: npm start in one terminal, npm run example in another.
import { ApiFailure, type Output, StrongTogetherClient } from '@strong-together/client';
import { openVerificationLink } from './mailbox.ts';
import { BASE_URL } from './serverUrl.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Three splits: exercise, planned reps a set. */
const PLAN: Record<string, Array<[exercise: string, sets: number[]]>> = {
  A: [
    ['Bench Press', [8, 8, 6]],
    ['Overhead Press', [8, 8]],
    ['Triceps Pushdown', [12, 12]],
  ],
  B: [
    ['Deadlift', [5, 5]],
    ['Pull Up', [8, 6]],
    ['Barbell Curl', [10, 10]],
  ],
  C: [
    ['Back Squat', [6, 6, 6]],
    ['Hip Thrust', [10, 10]],
    ['Plank', [1]],
  ],
};

/** Five workouts: days ago, split, weight in kilograms of each exercise's sets. */
const WEEK: Array<[daysAgo: number, split: string, weights: number[][]]> = [
  [
    6,
    'A',
    [
      [60, 60, 62.5],
      [35, 35],
      [22.5, 22.5],
    ],
  ],
  [
    5,
    'B',
    [
      [100, 105],
      [5, 5],
      [25, 25],
    ],
  ],
  [4, 'C', [[80, 80, 82.5], [70, 70], [10]]],
  [
    2,
    'A',
    [
      [62.5, 62.5, 65],
      [36, 36],
      [25, 25],
    ],
  ],
  [
    1,
    'B',
    [
      [105, 110],
      [7.5, 5],
      [25, 27.5],
    ],
  ],
];

async function main(): Promise<void> {
  const client = new StrongTogetherClient({ baseUrl: BASE_URL });
  const username = `lifter_${Math.floor(Math.random() * 1e6)}`;
  const account = { username, fullName: 'Lee Lifter', email: `${username}@example.com`, password: 'a strong password' };

  const { user } = await client.call('POST', '/api/users/create', { body: account });
  say(`Registered ${user.username}. The server sent a mail.`);
  await openVerificationLink(account.email);
  say('Opened the mailbox and followed the link: verified.');
  await client.login(account.username, account.password);
  say('Logged in; the tokens are bound to this key:', (await client.key()).thumbprint);

  const plan = await makePlan(client);
  heading(`Plan "${plan.name}"`);
  for (const split of plan.workoutsplits) console.log(`  ${split.name}  ${split.muscle_group}`);

  let tracking = await client.call('GET', '/api/workouts/gettracking', { query: { tz: ZONE } });
  for (const [daysAgo, name, weights] of WEEK) {
    const split = plan.workoutsplits.find((candidate) => candidate.name === name);
    if (!split) throw new Error(`the plan has no split ${name}`);
    const start = new Date(Math.floor((Date.now() - daysAgo * DAY_MS) / 1000) * 1000);
    tracking = await client.call('POST', '/api/workouts/finishworkout', {
      body: {
        workout: split.exercisetoworkoutsplit.map((exercise, index) => ({
          exercisetosplit_id: exercise.id,
          weight: weights[index] ?? [],
          reps: exercise.sets,
        })),
        workout_start_utc: start.toISOString(),
        workout_end_utc: new Date(start.getTime() + 55 * 60 * 1000).toISOString(),
        tz: ZONE,
      },
    });
    const { prs, unique_days } = tracking.exerciseTrackingAnalysis;
    say(`Workout ${unique_days}: split ${name}. Best so far: ${prs.pr_max?.exercise} ${prs.pr_max?.weight} kg.`);
  }

  const { _1RM } = await client.call('GET', '/api/analytics/get');
  printWeek(tracking, _1RM);
  await bringAYear(client);
  await client.logout();
  say('\nLogged out.');
}

type Tracking = Output<'GET', '/api/workouts/gettracking'>;
type Records = Output<'GET', '/api/analytics/get'>['_1RM'];

async function makePlan(client: StrongTogetherClient) {
  const catalogue = await client.call('GET', '/api/exercises/getall');
  const exercises = Object.values(catalogue).flat();
  say(`The catalogue has ${exercises.length} exercises for ${Object.keys(catalogue).length} muscles.`);
  const idOf = (name: string) => {
    const found = exercises.find((exercise) => exercise.name === name);
    if (!found) throw new Error(`the catalogue has no ${name}`);
    return found.id;
  };
  const workoutData = Object.fromEntries(
    Object.entries(PLAN).map(([split, list]) => [
      split,
      list.map(([name, sets], order_index) => ({ id: idOf(name), sets, order_index })),
    ]),
  );
  const saved = await client.call('POST', '/api/workouts/add', {
    body: { workoutData, workoutName: 'First Week', tz: ZONE },
  });
  return saved.workoutPlan;
}

function printWeek(
  { exerciseTrackingAnalysis: analysis, exerciseTrackingMaps: maps }: Tracking,
  records: Records,
): void {
  heading('Tracking');
  for (const [day, rows] of Object.entries(maps.byDate).sort()) {
    for (const row of rows) {
      const sets = row.weight.map((weight, index) => `${weight}×${row.reps[index]}`).join('  ');
      console.log(`  ${day}  ${row.splitname}  ${row.exercise.padEnd(18)} ${sets}`);
    }
  }

  heading('Records');
  for (const { exercise, pr_weight, pr_reps, max_1rm } of Object.values(records)) {
    const record = `${pr_weight} kg × ${pr_reps}`;
    console.log(`  ${exercise.padEnd(18)} ${record.padEnd(14)} one-rep max about ${max_1rm} kg`);
  }
  const { pr_max } = analysis.prs;
  console.log(`  Best of all: ${pr_max?.exercise}, ${pr_max?.weight} kg × ${pr_max?.reps}`);

  heading('What changed since the time before');
  for (const [latest, before] of Object.values(maps.byETSId)) {
    if (!latest || !before) continue;
    const gain = Math.max(...latest.weight) - Math.max(...before.weight);
    console.log(`  ${latest.exercise.padEnd(18)} ${gain >= 0 ? '+' : ''}${gain} kg`);
  }

  heading('The week');
  console.log(`  ${analysis.unique_days} workouts: ${JSON.stringify(analysis.splitDaysByName)}`);
}

/** The second act: the history from before, out of another program's file, and away again. */
async function bringAYear(client: StrongTogetherClient): Promise<void> {
  heading('A year from before');
  const file = new Blob([yearOfHevy()], { type: 'text/csv' });
  const preview = await client.call('POST', '/api/v1/imports', { body: { file, timeZone: ZONE } });
  say(`A file of ${preview.source}: ${preview.workouts} workouts, ${preview.sets} sets, since ${preview.firstDay}.`);
  const params = { id: preview.id };
  await client.call('POST', '/api/v1/imports/:id/commit', { params });
  const { progress } = await committed(client, preview.id);
  say(`Imported ${progress.added} of ${progress.total} workouts.`);

  const { items: records } = await client.call('GET', '/api/v1/records');
  for (const { exercise, heaviest, bestOneRepMax } of records.slice(0, 3)) {
    if (!heaviest || !bestOneRepMax) continue;
    const set = `${heaviest.weight} ${heaviest.unit} × ${heaviest.reps}`;
    say(`  ${exercise.padEnd(18)} ${set.padEnd(14)} ${heaviest.day}, one-rep max about ${bestOneRepMax.kg} kg`);
  }
  const [from, to] = [daysAgo(28), daysAgo(14)];
  const { weeks } = await client.call('GET', '/api/v1/stats/muscles', { query: { from, to, tz: ZONE } });
  for (const { from: monday, hardSets } of weeks) say(`  Hard sets in the week of ${monday}: ${listed(hardSets)}`);

  const { items } = await client.call('GET', '/api/v1/workouts', { query: { to: daysAgo(20), limit: 1 } });
  const [workout] = items;
  if (!workout) throw new Error('the import added no workout');
  for (const set of workout.blocks[0]?.sets ?? []) set.rpe = 8;
  const { version } = await client.call('PUT', '/api/v1/workouts/:id', {
    params: { id: workout.id },
    headers: { 'if-match': `"${workout.version}"` },
    body: workout,
  });
  say(
    `Corrected "${workout.title}" of ${workout.startedAt.slice(0, 10)}: version ${workout.version} became ${version}.`,
  );

  const everything = await client.call('GET', '/api/v1/exports/logbook.json');
  say(`Everything as a file: ${JSON.stringify(everything).length} characters.`);
  const { kept } = await client.call('DELETE', '/api/v1/imports/:id', { params });
  say(`Undone; ${kept.length} workout stayed, because it was corrected.`);
}

async function committed(client: StrongTogetherClient, id: string) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await client.call('GET', '/api/v1/imports/:id', { params: { id } });
    if (found.state === 'committed') return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the import did not end: is there a worker?');
}

/** Three workouts a week, a little heavier each month, in the columns of Hevy. */
function yearOfHevy(): string {
  const header = 'title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type';
  const rows = [`${header},weight_kg,reps,distance_km,duration_seconds,rpe`];
  for (let day = 380; day > 14; day -= 2) {
    const title = day % 4 === 0 ? 'Squat day' : 'Bench day';
    const exercise = day % 4 === 0 ? 'Squat (Barbell)' : 'Bench Press (Barbell)';
    const [start, end] = ['18:05', '18:50'].map((time) => `"${hevyDay(day)}, ${time}"`);
    const weight = 40 + Math.floor((380 - day) / 30) * 2.5;
    for (const index of [0, 1, 2]) {
      rows.push(`${title},${start},${end},,${exercise},,,${index},${index === 0 ? 'warmup' : 'normal'},${weight},8,,,`);
    }
  }
  return rows.join('\n');
}

const hevyDay = (days: number): string => {
  const date = new Date(Date.now() - days * DAY_MS);
  const month = date.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' });
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
};

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

const listed = (sets: Record<string, number>): string =>
  Object.entries(sets)
    .map(([muscle, count]) => `${muscle} ${count}`)
    .join(', ');

const say = (...parts: string[]) => console.log(...parts);
const heading = (text: string) => console.log(`\n${text}`);

try {
  await main();
} catch (error) {
  const isNetwork = error instanceof TypeError && error.message === 'fetch failed';
  if (isNetwork) console.error(`No server answers at ${BASE_URL}: run npm start first, or set BASE_URL.`);
  else if (error instanceof ApiFailure) console.error(`${error.message} (${error.code}, request ${error.requestId})`);
  else console.error(error);
  process.exitCode = 1;
}
