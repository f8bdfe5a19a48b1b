import type { z } from 'zod';
import { notFound } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Secrets } from '#src/config.ts';
import { MOST_PAGE_BYTES } from '#training/bounds.ts';
import { daysAfter, weekOf, weeksOf } from '#training/weeks.ts';
import { page, positionOf } from '#transport/paging.ts';
import {
  type DayRow,
  FIND_EXERCISE,
  FIND_SPAN,
  type HistoryRow,
  LIST_DAYS,
  LIST_HISTORY,
  LIST_MUSCLES,
  LIST_RECORDS,
  type RecordRow,
} from './statistics.queries.ts';
import { daysFromMonday, type historyQuery, type summaryQuery, type weeksQuery } from './statistics.schemas.ts';

/** Weeks before this one that it is compared with. */
const COMPARED_WEEKS = 4;

/** What was done with an exercise, workout by workout, newest first. @throws ApiError 404 */
export async function readHistory(
  tx: Transaction,
  secrets: Secrets,
  userId: string,
  exerciseId: number,
  zone: string,
  { from, to, tz, limit, cursor }: z.output<typeof historyQuery>,
) {
  const measure = await measureOf(tx, exerciseId);
  const [startedAt, id] = cursor === undefined ? [] : positionOf(secrets, cursor);
  const values = [userId, exerciseId, from ?? null, to ?? null, tz ?? zone, startedAt ?? null, id ?? null];
  const rows = await tx.rows(LIST_HISTORY, [...values, limit + 1, MOST_PAGE_BYTES]);
  return page(secrets, rows, limit, presenterFor(measure), (row) => [row.position, row.workout_id]);
}

/** What was done with an exercise last time. @throws ApiError 404 */
export async function readLast(tx: Transaction, userId: string, exerciseId: number) {
  await measureOf(tx, exerciseId);
  const row = await tx.maybe(LIST_HISTORY, [userId, exerciseId, null, null, 'UTC', null, null, 1, 1]);
  if (!row) return { last: null };
  return {
    last: { workoutId: row.workout_id, startedAt: row.started_at.toISOString(), sets: row.sets.map(withoutEstimates) },
  };
}

/** @throws ApiError 404 */
async function measureOf(tx: Transaction, exerciseId: number): Promise<string> {
  const found = await tx.maybe(FIND_EXERCISE, [exerciseId]);
  if (!found) throw notFound('There is no such exercise', 'EXERCISE_NOT_FOUND');
  return found.measure;
}

const withoutEstimates = ({ kg: _kg, oneRepMax: _max, ...set }: HistoryRow['sets'][number]) => set;

/** @param measure of the exercise: help is neither load nor volume */
const presenterFor = (measure: string) => (row: HistoryRow) =>
  measure === 'assisted_bodyweight'
    ? presentWorkout({ ...row, sets: row.sets.map((set) => ({ ...set, kg: null, oneRepMax: null })) })
    : presentWorkout(row);

function presentWorkout({ workout_id, started_at, title, sets }: HistoryRow) {
  const hard = sets.filter(({ kind }) => kind !== 'warmup');
  const byLoad = hard.toSorted((a, b) => (b.kg ?? 0) - (a.kg ?? 0) || (b.reps ?? 0) - (a.reps ?? 0));
  const [strongest] = hard
    .filter(({ kind, oneRepMax }) => kind !== 'drop' && oneRepMax !== null)
    .toSorted((a, b) => (b.oneRepMax ?? 0) - (a.oneRepMax ?? 0));
  return {
    workoutId: workout_id,
    startedAt: started_at.toISOString(),
    title,
    sets: sets.map(withoutEstimates),
    bestSet: byLoad[0] ? withoutEstimates(byLoad[0]) : null,
    oneRepMax: strongest ? estimate(strongest.oneRepMax ?? 0, strongest.reps ?? 0) : null,
    volumeKg: rounded(hard.reduce((sum, { kg, reps }) => sum + (kg ?? 0) * (reps ?? 0), 0)),
  };
}

/** Two decimals are more than any scale has. */
const rounded = (value: number): number => Math.round(value * 100) / 100;

/** By the number of reps: `app.estimated_one_rep_max` in db/code/30_records.sql has the formulae and their sources. */
function estimate(kg: number, reps: number) {
  const formula = reps === 1 ? 'lifted' : reps <= 5 ? 'epley' : reps <= 10 ? 'brzycki' : 'oconner';
  return { kg: rounded(kg), formula } as const;
}

/** The bests of every exercise, by name. */
export async function readRecords(tx: Transaction, userId: string) {
  const byExercise = Map.groupBy(await tx.rows(LIST_RECORDS, [userId]), (row) => row.exercise_id);
  return { items: [...byExercise.values()].map(presentRecords) };
}

function presentRecords(rows: RecordRow[]) {
  const [first] = rows as [RecordRow, ...RecordRow[]];
  const of = (kind: string) => rows.find((row) => row.kind === kind);
  const set = (row: RecordRow | undefined) =>
    row
      ? {
          weight: row.weight === null ? null : Number(row.weight),
          unit: row.unit as 'kg' | 'lb' | null,
          reps: row.reps,
          day: row.day,
          workoutId: row.workout_id,
          firstDay: row.first_day,
        }
      : null;
  const amount = (row: RecordRow | undefined) =>
    row ? { value: rounded(row.value), day: row.day, workoutId: row.workout_id, firstDay: row.first_day } : null;
  const strongest = of('bestOneRepMax');
  return {
    exerciseId: first.exercise_id,
    exercise: first.exercise,
    heaviest: set(of('heaviest')),
    bestOneRepMax: strongest
      ? {
          ...(set(strongest) as NonNullable<ReturnType<typeof set>>),
          ...estimate(strongest.value, strongest.reps ?? 0),
        }
      : null,
    mostReps: set(of('mostReps')),
    mostVolumeInSet: amount(of('mostVolumeInSet')),
    mostVolumeInWorkout: amount(of('mostVolumeInWorkout')),
    longest: amount(of('longest')),
    farthest: amount(of('farthest')),
  };
}

type Tile = { workouts: number; sets: number; minutes: number; volumeKg: number };

function total(rows: DayRow[], weeks = 1): Tile {
  const sum = (value: (row: DayRow) => number) => rounded(rows.reduce((all, row) => all + value(row), 0) / weeks);
  return {
    workouts: sum((row) => row.workouts),
    sets: sum((row) => row.sets),
    minutes: sum((row) => row.minutes),
    volumeKg: sum((row) => row.volume_kg),
  };
}

/** This week, the mean of the four before, and all. */
export async function readSummary(
  tx: Transaction,
  userId: string,
  zone: string,
  { tz, weekStart }: z.output<typeof summaryQuery>,
) {
  const { first, last, today } = await tx.one(FIND_SPAN, [userId, tz ?? zone]);
  const rows = await tx.rows(LIST_DAYS, [userId, first, today, tz ?? zone]);
  const week = weekOf(today, daysFromMonday(weekStart));
  const compared = daysAfter(week, -7 * COMPARED_WEEKS);
  return {
    week: { from: week, ...total(rows.filter(({ day }) => day >= week)) },
    average: total(
      rows.filter(({ day }) => day >= compared && day < week),
      COMPARED_WEEKS,
    ),
    all: total(rows),
    lastWorkoutAt: last?.toISOString() ?? null,
  };
}

/** The days on which something was done. */
export async function readCalendar(tx: Transaction, userId: string, span: { from: string; to: string; zone: string }) {
  const rows = await tx.rows(LIST_DAYS, [userId, span.from, span.to, span.zone]);
  return { days: rows.map((row) => ({ day: row.day, ...total([row]) })) };
}

type Weeks = Pick<z.output<typeof weeksQuery>, 'from' | 'to' | 'weekStart'> & { zone: string };

/** Every week that the span touches; only what lies in the span counts. */
export async function readVolume(tx: Transaction, userId: string, { from, to, weekStart, zone }: Weeks) {
  const rows = await tx.rows(LIST_DAYS, [userId, from, to, zone]);
  const start = daysFromMonday(weekStart);
  const byWeek = Map.groupBy(rows, ({ day }) => weekOf(day, start));
  return { weeks: weeksOf(from, to, start).map((week) => ({ from: week, ...total(byWeek.get(week) ?? []) })) };
}

/** Hard sets for each muscle, week by week. */
export async function readMuscles(tx: Transaction, userId: string, { from, to, weekStart, zone }: Weeks) {
  const rows = await tx.rows(LIST_MUSCLES, [userId, from, to, zone]);
  const start = daysFromMonday(weekStart);
  const byWeek = Map.groupBy(rows, ({ day }) => weekOf(day, start));
  const weeks = weeksOf(from, to, start).map((week) => {
    const hardSets = new Map<string, number>();
    for (const { muscle, sets } of byWeek.get(week) ?? []) hardSets.set(muscle, (hardSets.get(muscle) ?? 0) + sets);
    return { from: week, hardSets: Object.fromEntries(hardSets) };
  });
  return { weeks };
}
