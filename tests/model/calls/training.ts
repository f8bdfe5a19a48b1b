import { guarded, type Outcome, refused, sentBody, type Token } from '../call.ts';
import type { Expected } from '../difference.ts';
import { cardioView, planView, trackingView } from '../views.ts';
import { type Account, copyOf, type Entry, isLater, type Plan, type Span, type Workout, type World } from '../world.ts';
import { asPhone, type Builder, DEFAULT_ZONE, type Deed, pick, type Scene, ZONES } from './builder.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Split → exercises, as places in the stage's list of exercises. */
const PLANS: ReadonlyArray<Record<string, number[]>> = [
  { A: [0, 1] },
  { A: [0, 1, 2], B: [2, 3] },
  { A: [1], B: [3, 2], C: [4] },
  { B: [2, 0], A: [3] },
  { C: [4, 0], Push: [0] },
];
const PLANNED_SETS = [[10, 8, 6], [5], [12, 12]] as const;
const SETS = [
  { weight: [60], reps: [5] },
  { weight: [80, 82.5], reps: [10, 8] },
  { weight: [20.1], reps: [6] },
  { weight: [100, 100, 50], reps: [1, 2, 12] },
  { weight: [0, 0], reps: [15, 20] },
  { weight: [50], reps: [13] },
  { weight: [50], reps: [11] },
] as const;
const NOTES = [null, '', 'felt light'] as const;
/** Starts before the story began; the window of the maps ends at 45 days. */
const STARTS_AGO = [
  ...[30 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS, 90 * MINUTE_MS, 90 * MINUTE_MS],
  ...[90 * MINUTE_MS, 90 * MINUTE_MS, DAY_MS, 3.3 * DAY_MS, 44 * DAY_MS, 50 * DAY_MS],
];
const CARDIO = [
  { type: 'Walk', durationMins: 30, durationSec: 15 },
  { type: 'Run', durationMins: 5, durationSec: 0 },
  { type: 'Run', durationMins: 0, durationSec: 59 },
] as const;

/** Does it once for an Idempotency-Key (contract 0.13); without a key it just does it. */
function onceByKey(
  keyed: { route: string; key: string | undefined; body: string },
  account: Account,
  next: World,
  act: () => Outcome[],
): Outcome[] {
  const { route, key, body } = keyed;
  if (key === undefined) return act();
  const name = `${route} ${key}`;
  const first = account.keys[name];
  if (first) {
    return first.body === body
      ? [{ world: next, status: first.status, isReplay: true }]
      : [refused(next, 422, 'IDEMPOTENCY_KEY_REUSED')];
  }
  return act().map((outcome) => {
    if (outcome.status < 300 && outcome.world.account) {
      outcome.world.account.keys[name] = { body, status: outcome.status };
    }
    return outcome;
  });
}

/** A write with a body, with or without a key. */
function writing(
  scene: Scene,
  path: string,
  says: string,
  body: object,
  act: (account: Account, next: World, at: Span, key: string | undefined) => Outcome[],
) {
  const key = scene.move.c % 3 === 2 ? `key-${scene.move.a % 2}` : undefined;
  const keyed = { route: path, key, body: sentBody(body) ?? '' };
  return asPhone(scene, {
    says: key ? `${says} with ${key}` : says,
    method: 'POST',
    path,
    body,
    headers: key ? { 'idempotency-key': key } : {},
    outcomes: (world: World, at: Span, token: Token | undefined) =>
      guarded(world, token, (account, next) => onceByKey(keyed, account, next, () => act(account, next, at, key))),
  });
}

type PlanForm = Record<string, Array<{ id: number; sets: number[] }>>;

/** Contract 4.6: splits and exercises keep their ids, whatever becomes of them. */
function applyPlan(account: Account, form: PlanForm, name: string | undefined, at: Span): void {
  const plan: Plan = account.plan ?? { name: 'My Workout', updated: at, splits: [] };
  account.plan = plan;
  plan.name = name ?? plan.name;
  plan.updated = at;
  for (const split of plan.splits) {
    split.isActive = false;
    for (const row of split.exercises) row.isActive = false;
  }
  for (const [splitName, rows] of Object.entries(form)) {
    const known = plan.splits.find(({ name: taken }) => taken === splitName);
    const split = known ?? { name: splitName, isActive: true, exercises: [] };
    if (!known) plan.splits.push(split);
    split.isActive = true;
    for (const [order, { id: exercise, sets }] of rows.entries()) {
      const row = split.exercises.find((planned) => planned.exercise === exercise);
      if (row) Object.assign(row, { sets, order, isActive: true });
      else split.exercises.push({ exercise, sets, order, isActive: true });
    }
  }
}

const savePlan: Builder = (scene) => {
  const { stage, move } = scene;
  const form: PlanForm = Object.fromEntries(
    Object.entries(PLANS[move.a % PLANS.length] ?? {}).map(([split, places]) => [
      split,
      places.map((place, n) => ({
        id: stage.exercises[place % stage.exercises.length] ?? 0,
        sets: [...pick(PLANNED_SETS, move.b + n)],
      })),
    ]),
  );
  const name = move.b % 4 === 3 ? `Plan ${move.a % 3}` : undefined;
  const zone = pick(ZONES, move.b);
  const body = { workoutData: form, ...(name ? { workoutName: name } : {}), tz: zone };
  return writing(scene, '/api/workouts/add', `saves plan ${Object.keys(form).join('')}`, body, (account, next, at) => {
    applyPlan(account, form, name, at);
    const view: Expected = { message: 'Workout created successfully!', ...planView(account, zone, stage.catalogue) };
    return [{ world: next, status: 200, body: view }];
  });
};

const saveBadPlan: Builder = (scene) =>
  writing(
    scene,
    '/api/workouts/add',
    'saves a plan with an exercise that is none',
    { workoutData: { A: [{ id: 999_999, sets: [5] }] } },
    (_account, next) => [refused(next, 400, 'UNKNOWN_EXERCISE')],
  );

interface Finish {
  workout: Array<{ exercisetosplit_id: number; weight: number[]; reps: number[]; notes: string | null }>;
  workout_start_utc?: string;
  workout_end_utc?: string;
  tz?: string;
}

/** The split of these exercise-to-split ids and what was done, or how they are refused. */
function resolve(account: Account, { workout }: Finish): { split: string; entries: Entry[] } | string {
  const splits = account.plan?.splits ?? [];
  const found = workout.map((entry) => {
    for (const split of splits) {
      const row = split.exercises.find(({ id }) => id === entry.exercisetosplit_id);
      const { weight, reps, notes } = entry;
      if (row) return { split: split.name, entry: { exercise: row.exercise, weight, reps, notes: notes ?? '' } };
    }
    return undefined;
  });
  const [first] = found;
  if (!first || found.includes(undefined)) return 'UNKNOWN_EXERCISE';
  if (found.some((row) => row?.split !== first.split)) return 'MIXED_SPLITS';
  return { split: first.split, entries: found.flatMap((row) => row?.entry ?? []) };
}

const isSame = (a: Workout, b: Workout) =>
  JSON.stringify([a.split, a.entries]) === JSON.stringify([b.split, b.entries]);

/**
 * The worlds after a finish (contract 1.5): one workout a start; other content replaces the stored one whole, unless
 * that ended later than the one that arrives.
 */
function finished(world: World, form: Finish, done: { split: string; entries: Entry[] }, at: Span): World[] {
  const instant = (text: string | undefined): Span | undefined =>
    text ? [Date.parse(text), Date.parse(text)] : undefined;
  const end = instant(form.workout_end_utc) ?? at;
  const start = instant(form.workout_start_utc) ?? end;
  const arriving: Workout = { start, end, ...done };
  const { account } = world;
  if (!account) return [];
  const stored = account.workouts.findIndex(
    (known) => known.start[0] === known.start[1] && known.start[0] === start[0],
  );
  const before = account.workouts[stored];
  if (!before || start[0] !== start[1]) {
    account.workouts.push(arriving);
    account.messages.push({ subject: 'Workout Done!', sent: at, isRead: false });
    return [world];
  }
  if (isSame(before, arriving)) return [world];
  const replaced = copyOf(world);
  replaced.account?.workouts.splice(stored, 1, arriving);
  const keepsStored = isLater(before.end, end);
  if (keepsStored === undefined) return [world, replaced];
  return [keepsStored ? world : replaced];
}

/** Exercise-to-split ids that the phone has seen, by split. */
function knownRows(account: Account | null): Array<[split: string, ids: number[]]> {
  return (account?.plan?.splits ?? [])
    .map(({ name, exercises }): [string, number[]] => [name, exercises.flatMap(({ id }) => id ?? [])])
    .filter(([, ids]) => ids.length > 0);
}

const finish: Builder = (scene) => {
  const { account, move, person, stage } = scene;
  const rows = knownRows(account);
  if (rows.length === 0) return savePlan(scene);
  const [split, ids] = pick(rows, move.a);
  const done = ids.filter((_, n) => ((move.b + 1) >> n) % 2 === 1 || n === move.b % ids.length);
  const startAt = person.began - pick(STARTS_AGO, move.b);
  const ends = [startAt + 10 * MINUTE_MS, undefined, startAt + 25 * MINUTE_MS, person.began + 8 * MINUTE_MS];
  const [start, end] = [move.a % 7 === 6 ? undefined : startAt, ends[move.c % ends.length]];
  const zone = move.c % 5 === 4 ? undefined : pick(ZONES, move.c);
  const form: Finish = {
    workout: done.map((id, n) => {
      const { weight, reps } = pick(SETS, move.a + move.c + n);
      return { exercisetosplit_id: id, weight: [...weight], reps: [...reps], notes: pick(NOTES, move.a + n) };
    }),
    ...(start === undefined ? {} : { workout_start_utc: new Date(start).toISOString() }),
    ...(end === undefined || start === undefined ? {} : { workout_end_utc: new Date(end).toISOString() }),
    ...(zone === undefined ? {} : { tz: zone }),
  };
  const when = `from ${form.workout_start_utc?.slice(0, 16) ?? 'now'} to ${form.workout_end_utc?.slice(0, 16) ?? 'now'}`;
  const says = `finishes ${split} ${when}: ${form.workout.map(({ exercisetosplit_id: id, weight }) => `${id} ${weight}`).join(', ')}`;
  return finishing(scene, says, form, zone ?? DEFAULT_ZONE, stage.catalogue);
};

function finishing(scene: Scene, says: string, form: Finish, zone: string, catalogue: Scene['stage']['catalogue']) {
  return writing(scene, '/api/workouts/finishworkout', says, form, (account, next, at) => {
    const done = resolve(account, form);
    if (typeof done === 'string') return [refused(next, 400, done)];
    return finished(next, form, done, at).map((world) => ({
      world,
      status: 200,
      ...(world.account ? { body: trackingView(world.account, zone, catalogue, at[0]) } : {}),
    }));
  });
}

/** Workouts that must be refused whole: somebody else's exercise, several splits, an end before the start. */
const finishBadly: Builder = (scene) => {
  const { account, move, person, stage } = scene;
  const rows = knownRows(account);
  const entry = (id: number) => ({ exercisetosplit_id: id, weight: [500], reps: [1], notes: null });
  const own = rows[0]?.[1][0];
  const ids = [[stage.statue.exerciseToSplit], [own, rows[1]?.[1][0]], [own, stage.statue.exerciseToSplit]][move.a % 3];
  const known = (ids ?? []).filter((id) => id !== undefined);
  const start = new Date(person.began - pick(STARTS_AGO, move.b)).toISOString();
  const form: Finish = { workout: known.map(entry), workout_start_utc: start, workout_end_utc: start };
  if (known.length > 1 || move.a % 3 === 0)
    return finishing(scene, 'finishes what is not theirs', form, DEFAULT_ZONE, stage.catalogue);
  if (own === undefined) return undefined;
  const backwards = { ...form, workout: [entry(own)], workout_end_utc: '2020-01-01T00:00:00Z' };
  return writing(scene, '/api/workouts/finishworkout', 'finishes before the start', backwards, (_account, next) => [
    refused(next, 400, 'VALIDATION_FAILED'),
  ]);
};

const addCardio: Builder = (scene) => {
  const { move } = scene;
  const record = pick(CARDIO, move.a);
  const zone = pick(ZONES, move.b);
  const body = { record, tz: zone };
  return writing(scene, '/api/aerobics/add', `logs a ${record.type}`, body, (account, next, at, key) => {
    const { type, durationMins: mins, durationSec: secs } = record;
    // The same record within a minute is one, unless a key says otherwise; times are known to a span.
    const same = account.cardio.filter((known) => known.type === type && known.mins === mins && known.secs === secs);
    const isOne = !key && same.some((known) => at[1] - known.at[0] < MINUTE_MS);
    const isPerhapsOne = !key && same.some((known) => at[0] - known.at[1] < MINUTE_MS);
    const again = isPerhapsOne ? [copyOf(next)] : [];
    account.cardio.push({ type, mins, secs, at });
    return [...again, ...(isOne ? [] : [next])].flatMap((world) =>
      world.account ? [{ world, status: 201, body: cardioView(world.account, zone) }] : [],
    );
  });
};

const deleteWorkouts: Builder = (scene) =>
  asPhone(scene, {
    says: 'deletes the workouts',
    method: 'DELETE',
    path: '/api/workouts/delete',
    outcomes: (world, _at, token) => guarded(world, token, (_account, next) => [refused(next, 501, 'NOT_IMPLEMENTED')]),
  });

export const training = {
  savePlan: { routes: ['POST /api/workouts/add'], build: savePlan },
  saveBadPlan: { routes: ['POST /api/workouts/add'], build: saveBadPlan },
  finish: { routes: ['POST /api/workouts/finishworkout'], build: finish },
  finishBadly: { routes: ['POST /api/workouts/finishworkout'], build: finishBadly },
  addCardio: { routes: ['POST /api/aerobics/add'], build: addCardio },
  deleteWorkouts: { routes: ['DELETE /api/workouts/delete'], build: deleteWorkouts },
} satisfies Record<string, Deed>;
