import { buildSlices } from '#platform/slices.ts';
import { HEAVIEST } from '#training/bounds.ts';
import { KG_PER_LB, type Unit } from '#training/units.ts';
import type { FileSet, OpenWorkout } from './training.ts';

/** Whether a weight is a whole number of quarters. */
export const isClean = (weight: number): boolean => Math.abs(weight * 4 - Math.round(weight * 4)) < 0.002;

const converted = (weight: number, from: Unit): number => (from === 'kg' ? weight / KG_PER_LB : weight * KG_PER_LB);
const otherOf = (unit: Unit): Unit => (unit === 'kg' ? 'lb' : 'kg');

/**
 * The quarter of the other unit that a weight was entered as, if it was. A weight with two decimals or more may have been
 * rounded there.
 */
function enteredAs(weight: string, unit: Unit): number | undefined {
  const decimals = weight.split('.')[1]?.length ?? 0;
  const rounding = decimals >= 2 ? converted(0.5 * 10 ** -decimals, unit) : 0;
  const other = converted(Number(weight), unit);
  const quarter = Math.round(other * 4) / 4;
  return Math.abs(other - quarter) <= Math.max(rounding, 0.0005) ? quarter : undefined;
}

/** Shares of weights that decide whether a file was entered in the other unit than it is written in. */
const [MOST, FEW] = [0.8, 0.2];

/**
 * The unit that weights were entered in, where it is another one than the file says: most of them are whole quarters of
 * it, and few of the file's own.
 */
export async function unitEntered(workouts: Iterable<OpenWorkout>): Promise<Unit | undefined> {
  const pause = buildSlices();
  const counts = { kg: { all: 0, own: 0, other: 0 }, lb: { all: 0, own: 0, other: 0 } };
  for (const workout of workouts) {
    await pause();
    workout.revise(({ weight, unit }) => {
      if (weight === null || unit === null) return;
      counts[unit].all++;
      if (isClean(Number(weight))) counts[unit].own++;
      if (enteredAs(weight, unit) !== undefined) counts[unit].other++;
    });
  }
  const written: Unit = counts.kg.all >= counts.lb.all ? 'kg' : 'lb';
  const { all, own, other } = counts[written];
  return all > 0 && other > MOST * all && own < FEW * all ? otherOf(written) : undefined;
}

/** Writes weights in the unit that they were entered in. Those that are no quarter of it stay as they are. */
export async function asEntered(workouts: Iterable<OpenWorkout>, unit: Unit): Promise<void> {
  const pause = buildSlices();
  const change = (set: FileSet) => {
    if (set.weight === null || set.unit === null || set.unit === unit) return;
    const quarter = enteredAs(set.weight, set.unit);
    if (quarter === undefined || quarter > HEAVIEST) return;
    set.weight = String(quarter);
    set.unit = unit;
  };
  for (const workout of workouts) {
    await pause();
    workout.revise(change);
  }
}
