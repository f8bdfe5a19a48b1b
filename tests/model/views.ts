import {
  type DoneWorkout,
  localDay,
  referenceBest,
  referenceOneRepMaxima,
  referenceRecords,
  referenceStatistics,
} from '../helpers/trainingReference.ts';
import {
  difference,
  type Expected,
  isNumber,
  isObject,
  isText,
  type Judge,
  learned,
  near,
  show,
  wholeNumber,
} from './difference.ts';
import {
  type Account,
  contains,
  localInstant,
  type Plan,
  type PlannedExercise,
  type Span,
  type Split,
  seen,
} from './world.ts';

// What the server should answer about an account, computed plainly from the model.

export interface CatalogueEntry {
  id: number;
  name: string;
  targetmuscle: string;
  specifictargetmuscle: string;
}
export type Catalogue = Map<number, CatalogueEntry>;

const DAY_MS = 86_400_000;

function entryOf(catalogue: Catalogue, id: number): CatalogueEntry {
  const entry = catalogue.get(id);
  if (!entry) throw new Error(`the catalogue has no exercise ${id}`);
  return entry;
}

/** Endpoint 13. */
export function profileView(account: Account): Expected {
  return {
    id: learned(account, 'id', isText),
    username: learned(account, 'username', isText),
    email: account.email,
    name: learned(account, 'name', (value): value is string | null => value === null || isText(value)),
    gender: account.gender,
    role: 'User',
    created_at: learned(account, 'createdAt', isText),
    profile_image_url: learned(account, 'picture', (value): value is string | null => value === null || isText(value)),
    is_first_login: account.isFirstLogin,
    is_verified: account.isVerified,
    auth_provider: account.provider,
  };
}

const byOrder = (a: PlannedExercise, b: PlannedExercise) => a.order - b.order;
const active = <T extends { isActive: boolean }>(items: T[]) => items.filter((item) => item.isActive);

/** Endpoint 24. */
export function planView(account: Account, zone: string, catalogue: Catalogue): { [key: string]: Expected } {
  const { plan } = account;
  if (!plan) return { workoutPlan: null };
  const splits = active(plan.splits);
  return {
    workoutPlan: {
      id: learned(plan, 'id', isNumber),
      name: plan.name,
      numberofsplits: splits.length,
      created_at: learned(plan, 'createdAt', isText),
      is_deleted: false,
      level: 'Beginner',
      user_id: learned(account, 'id', isText),
      trainer_id: learned(account, 'id', isText),
      is_active: true,
      updated_at: localInstant(zone, (instant) => narrowed(plan, 'updated', instant)),
      workoutsplits: splits.map((split) => splitView(plan, split, catalogue)),
    },
    workoutPlanForEditWorkout: Object.fromEntries(
      splits.map((split) => [
        split.name,
        active(split.exercises)
          .toSorted(byOrder)
          .map((row) => {
            const { name, targetmuscle, specifictargetmuscle } = entryOf(catalogue, row.exercise);
            return {
              id: row.exercise,
              name,
              sets: row.sets,
              order_index: row.order,
              targetmuscle,
              specifictargetmuscle,
            };
          }),
      ]),
    ),
  };
}

function splitView(plan: Plan, split: Split, catalogue: Catalogue): Expected {
  return {
    id: learned(split, 'id', isNumber),
    workout_id: learned(plan, 'id', isNumber),
    name: split.name,
    created_at: (actual) => (isText(actual) && actual.includes('T') ? undefined : `${show(actual)} is no time`),
    muscle_group: muscleGroup(active(split.exercises).map((row) => entryOf(catalogue, row.exercise))),
    is_active: true,
    exercisetoworkoutsplit: active(split.exercises)
      .toSorted(byOrder)
      .map((row) => {
        const { name: exercise, targetmuscle, specifictargetmuscle } = entryOf(catalogue, row.exercise);
        return {
          id: learned(row, 'id', isNumber),
          sets: row.sets,
          is_active: true,
          exercise,
          workoutsplit: split.name,
          targetmuscle,
          specifictargetmuscle,
        };
      }),
  };
}

function muscleGroup(exercises: CatalogueEntry[]): string | null {
  const specifics = [...Map.groupBy(exercises, (entry) => entry.targetmuscle)].map(
    ([muscle, entries]) =>
      `${muscle} (${[...new Set(entries.map((entry) => entry.specifictargetmuscle))].toSorted().join(', ')})`,
  );
  return specifics.toSorted().join(', ') || null;
}

/** The span of something becomes the instant that was told, if that lies in it. */
function narrowed<Key extends string>(holder: { [K in Key]: Span }, key: Key, instant: number): string | undefined {
  if (!contains(holder[key], instant)) {
    return `${new Date(instant).toISOString()} is not between ${holder[key].map((ms) => new Date(ms).toISOString()).join(' and ')}`;
  }
  holder[key] = seen(instant);
  return undefined;
}

const doneWorkouts = (account: Account, catalogue: Catalogue): DoneWorkout[] =>
  account.workouts.map(({ start, split, entries }) => ({
    start: new Date(start[0]),
    split,
    exercises: entries.map(({ exercise, weight, reps }) => ({
      exercise: entryOf(catalogue, exercise).name,
      weight,
      reps,
    })),
  }));

/** Endpoint 25, contract 4.1 to 4.3. */
export function trackingView(account: Account, zone: string, catalogue: Catalogue, now: number): Expected {
  const done = doneWorkouts(account, catalogue);
  return {
    exerciseTrackingAnalysis: {
      ...referenceStatistics(done, zone),
      prs: {
        pr_max: referenceBest(done, zone),
      },
    },
    exerciseTrackingMaps: mapsView(account, zone, catalogue, now),
  };
}

interface TrackedRow {
  start: number;
  order: number;
  position: number;
  row: { [key: string]: Expected };
}

function mapsView(account: Account, zone: string, catalogue: Catalogue, now: number): Expected {
  const rows = account.workouts
    .filter(({ start: [start] }) => start >= now - 45 * DAY_MS && start < now + DAY_MS)
    .flatMap((workout) =>
      workout.entries.map(({ exercise, weight, reps, notes }, position): TrackedRow => {
        const split = account.plan?.splits.find(({ name }) => name === workout.split);
        const planned = split?.exercises.find((row) => row.exercise === exercise);
        if (!split || !planned) throw new Error(`a workout of ${workout.split} without its plan`);
        const { name, targetmuscle, specifictargetmuscle } = entryOf(catalogue, exercise);
        return {
          start: workout.start[0],
          order: planned.order,
          position,
          row: {
            id: wholeNumber,
            exercisetosplit_id: learned(planned, 'id', isNumber),
            weight,
            reps,
            exercise_id: exercise,
            workoutsplit_id: learned(split, 'id', isNumber),
            splitname: split.name,
            exercise: name,
            notes,
            order_index: planned.order,
            exercisetoworkoutsplit: { sets: planned.sets, exercises: { targetmuscle, specifictargetmuscle } },
            workoutdate: localDay(new Date(workout.start[0]), zone),
          },
        };
      }),
    );
  const idOf = ({ row }: TrackedRow) =>
    String(
      account.plan?.splits
        .find(({ name }) => name === row.splitname)
        ?.exercises.find(({ exercise }) => exercise === row.exercise_id)?.id,
    );
  const without =
    (...fields: string[]) =>
    ({ row }: TrackedRow) =>
      Object.fromEntries(Object.entries(row).filter(([field]) => !fields.includes(field)));
  const byDate = rows.toSorted((a, b) => a.order - b.order || a.start - b.start || a.position - b.position);
  const byExercise = rows.toSorted((a, b) => b.start - a.start || b.position - a.position);
  const bySplit = rows.toSorted((a, b) => b.start - a.start || a.order - b.order || b.position - a.position);
  return {
    byDate: grouped(byDate, ({ row }) => String(row.workoutdate), without('workoutdate')),
    byETSId: grouped(byExercise, idOf, without()),
    bySplitName: grouped(bySplit, ({ row }) => String(row.splitname), without('splitname')),
  };
}

function grouped<T>(items: T[], key: (item: T) => string, view: (item: T) => Expected): { [key: string]: Expected } {
  return Object.fromEntries([...Map.groupBy(items, key)].map(([name, members]) => [name, members.map(view)]));
}

/** Endpoint 33, contract 4.4 and 4.5. */
export function analyticsView(account: Account, catalogue: Catalogue): Expected {
  const done = doneWorkouts(account, catalogue);
  const records = referenceRecords(done);
  const idByName = new Map([...catalogue.values()].map(({ id, name }) => [name, id]));
  const maxima = [...referenceOneRepMaxima(done)].map(([exercise, max_1rm]): [string, Expected] => {
    const { weight = 0, reps = 0 } = records.get(exercise) ?? {};
    return [String(idByName.get(exercise)), { exercise, pr_weight: weight, pr_reps: reps, max_1rm }];
  });
  return { _1RM: Object.fromEntries(maxima), goals: goalsView(account, catalogue) };
}

const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0);

function goalsView(account: Account, catalogue: Catalogue): Expected {
  const goals: Record<string, Record<string, Expected>> = {};
  for (const split of active(account.plan?.splits ?? [])) {
    for (const { exercise, sets } of active(split.exercises)) {
      const done = account.workouts
        .filter((workout) => workout.split === split.name)
        .flatMap((workout) => workout.entries.filter((entry) => entry.exercise === exercise));
      if (done.length === 0) continue;
      const [planned, actual] = [sum(sets), sum(done.map(({ reps }) => sum(reps))) / done.length];
      goals[split.name] = {
        ...goals[split.name],
        [entryOf(catalogue, exercise).name]: {
          planned,
          actual: near(actual),
          adherence_pct: near((100 * actual) / planned),
        },
      };
    }
  }
  return goals;
}

/** Endpoint 29: newest first, each message once, as it was left. */
export function inboxView(account: Account, zone: string): Expected {
  const judge: Judge = (actual) => {
    if (!Array.isArray(actual)) return `${show(actual)} is no list`;
    if (actual.length !== account.messages.length) {
      return `${actual.length} messages instead of ${account.messages.length}`;
    }
    const instants: number[] = [];
    for (const item of actual) {
      const id = isObject(item) ? item.id : undefined;
      const subject = isObject(item) ? item.subject : undefined;
      const sentAt = isObject(item) ? Date.parse(String(item.sent_at)) : Number.NaN;
      const message =
        account.messages.find((known) => known.id === id) ??
        account.messages.find(
          (known) => known.id === undefined && known.subject === subject && contains(known.sent, sentAt),
        );
      if (!message) return `a message that nobody sent: ${show(item)}`;
      instants.push(sentAt);
      const wrong = difference(
        {
          id: learned(message, 'id', isText),
          subject: message.subject,
          msg: (body) => (isText(body) && body.length > 20 ? undefined : 'has no text'),
          sent_at: localInstant(zone, (instant) => narrowed(message, 'sent', instant)),
          is_read: message.isRead,
          sender_full_name: 'System Bot',
          sender_profile_image_url: 'profile_pics/system-bot/avatar.jpg',
        },
        item,
        'message',
      );
      if (wrong) return wrong;
    }
    return instants.every((instant, n) => n === 0 || instant <= (instants[n - 1] ?? 0))
      ? undefined
      : 'not newest first';
  };
  return { messages: judge };
}

/** Endpoint 35, contract 4.7: the days follow from the instants, which only the weeks show. */
export function cardioView(account: Account, zone: string): Judge {
  return (actual) => {
    if (!isObject(actual) || !isObject(actual.weekly)) return `${show(actual)} has no weeks`;
    const open = new Set(account.cardio);
    const found: Array<{ day: string; week: string; item: { [key: string]: Expected } }> = [];
    for (const record of Object.values(actual.weekly).flatMap((week) => recordsOf(week))) {
      const instant = Date.parse(String(record.workout_time_utc));
      const cardio = [...open].find(
        ({ type, mins, secs, at }) =>
          type === record.type &&
          mins === record.duration_mins &&
          secs === record.duration_sec &&
          contains(at, instant),
      );
      if (!cardio) return `cardio that nobody logged: ${show(record)}`;
      open.delete(cardio);
      cardio.at = seen(instant);
      const day = localDay(new Date(instant), zone);
      const sunday = new Date(Date.parse(day) - new Date(day).getUTCDay() * DAY_MS).toISOString().slice(0, 10);
      const item = { type: cardio.type, duration_mins: cardio.mins, duration_sec: cardio.secs };
      found.push({ day, week: sunday, item: { ...item, workout_time_utc: localInstant(zone, () => undefined) } });
    }
    if (open.size > 0) return `without ${show([...open])}`;
    const weeks = [...Map.groupBy(found, ({ week }) => week)].map(([week, members]): [string, Expected] => [
      week,
      {
        total_duration_mins: sum(members.map(({ item }) => Number(item.duration_mins))),
        total_duration_sec: sum(members.map(({ item }) => Number(item.duration_sec))),
        records: members.map(({ item }) => item),
      },
    ]);
    const daily = grouped(
      found,
      ({ day }) => day,
      ({ item: { workout_time_utc: _, ...item } }) => item,
    );
    return difference({ daily, weekly: Object.fromEntries(weeks) }, actual, 'cardio');
  };
}

function recordsOf(week: unknown): Array<Record<string, unknown>> {
  return isObject(week) && Array.isArray(week.records) ? week.records.filter(isObject) : [];
}

/** Endpoint 32. */
export function catalogueView(catalogue: Catalogue): Expected {
  const names = [...catalogue.values()].toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  return grouped(
    names,
    ({ targetmuscle }) => targetmuscle,
    ({ id, name, specifictargetmuscle }) => ({ id, name, specificTargetMuscle: specifictargetmuscle }),
  );
}
