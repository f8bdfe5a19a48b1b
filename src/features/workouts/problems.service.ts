import type { Transaction } from '#platform/postgres/database.ts';
import type { Query } from '#platform/postgres/query.ts';
import type { NamedProblem } from '#transport/route.ts';
import { FIND_CATALOGUE_NAMES, FIND_EXERCISE_NAMES } from './workouts.queries.ts';

/**
 * Puts the name of the exercise and the number of the set in front of each problem with a finished workout, because
 * the app shows the text as it is.
 */
export async function nameWorkoutProblems(tx: Transaction, body: unknown, problems: NamedProblem[]) {
  const entryOf = ({ path: [top, index] }: NamedProblem) =>
    top === 'workout' ? member(member(body, 'workout'), index) : undefined;
  const names = await findNames(tx, FIND_EXERCISE_NAMES, problems.map(entryOf), 'exercisetosplit_id');
  return problems.map((problem) => {
    const [top, index, , set] = problem.path;
    if (top !== 'workout' || typeof index !== 'number') return problem;
    const name = names(entryOf(problem)) ?? `Exercise ${index + 1}`;
    return { ...problem, message: `${withSet(name, set)}: ${problem.message}` };
  });
}

/** The same for a plan. */
export async function namePlanProblems(tx: Transaction, body: unknown, problems: NamedProblem[]) {
  const entryOf = ({ path: [top, split, index] }: NamedProblem) =>
    top === 'workoutData' ? member(member(member(body, 'workoutData'), split), index) : undefined;
  const names = await findNames(tx, FIND_CATALOGUE_NAMES, problems.map(entryOf), 'id');
  return problems.map((problem) => {
    const [top, split, index, , set] = problem.path;
    if (top !== 'workoutData' || split === undefined) return problem;
    const name = typeof index === 'number' ? `, ${names(entryOf(problem)) ?? `exercise ${index + 1}`}` : '';
    return { ...problem, message: `${withSet(`Split ${String(split)}${name}`, set)}: ${problem.message}` };
  });
}

const withSet = (name: string, set: PropertyKey | undefined) =>
  typeof set === 'number' ? `${name}, set ${set + 1}` : name;

async function findNames(
  tx: Transaction,
  query: Query<{ id: number; name: string }>,
  entries: unknown[],
  idField: string,
): Promise<(entry: unknown) => string | undefined> {
  const ids = entries.map((entry) => member(entry, idField)).filter((id) => Number.isSafeInteger(id));
  const rows = ids.length > 0 ? await tx.rows(query, [ids]) : [];
  const names = new Map<unknown, string>(rows.map(({ id, name }) => [id, name]));
  return (entry) => names.get(member(entry, idField));
}

/** A member of a value of unknown type; undefined if there is none. */
function member(value: unknown, name: PropertyKey | undefined): unknown {
  if (typeof value !== 'object' || value === null || name === undefined || !Object.hasOwn(value, name))
    return undefined;
  return (value as Record<PropertyKey, unknown>)[name];
}
