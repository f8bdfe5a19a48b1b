import { ApiError, type FieldProblem, validationFailed } from '#platform/apiError.ts';
import { cut } from '#platform/cut.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { MOST_OWN_EXERCISES } from '#training/bounds.ts';
import type { Choice, Mapping, NameInFile } from './imports.documents.ts';
import { COUNT_OWN, CREATE_EXERCISE, LIST_EXERCISES, REMEMBER_ALIASES } from './imports.queries.ts';
import { choiceOf, creationOf, type Import } from './preview.ts';

const LONGEST_NAME = 100;
const isCreation = (choice: Choice | null): boolean =>
  choice === 'create' || (typeof choice === 'object' && choice !== null);

/**
 * @throws ApiError 409 for an exercise that is to be created though the catalogue has one of its name, 422 for names that
 *   the file does not have and exercises that do not exist
 */
export async function assertMapping(
  tx: Transaction,
  userId: string,
  inFile: NameInFile[],
  mapping: Mapping,
): Promise<void> {
  if (mapping.size === 0) return;
  const exercises = await tx.rows(LIST_EXERCISES, [userId]);
  const ids = new Set(exercises.map(({ id }) => id));
  const catalogue = new Set(exercises.flatMap(({ name, is_own }) => (is_own ? [] : [name.toLowerCase()])));
  const names = new Set(inFile.map(({ name }) => name));
  const problems = [...mapping].flatMap(([name, choice]): FieldProblem[] => {
    const path = pathOf(name);
    if (!names.has(name)) return [{ path, message: 'The file has no exercise of this name' }];
    return typeof choice === 'number' && !ids.has(choice) ? [{ path, message: 'There is no such exercise' }] : [];
  });
  if (problems.length > 0) throw validationFailed(problems);
  for (const [name, choice] of mapping) {
    if (!isCreation(choice) || !catalogue.has(nameOfOwn(name).toLowerCase())) continue;
    const message = `The catalogue has an exercise called "${nameOfOwn(name)}". Choose it instead of creating another one.`;
    throw new ApiError(409, 'EXERCISE_NAME_TAKEN', message);
  }
}

const pathOf = (name: string): string => cut(`mapping.${name}`, 200);
/** How an own exercise that is created for a name is called; one of the names cannot be a key of the app's objects. */
const nameOfOwn = (name: string): string =>
  name.trim() === '__proto__' ? 'Exercise __proto__' : cut(name.trim(), LONGEST_NAME).trim();

/**
 * Decides every name of an import: exercises that are to be created are, decisions are remembered.
 * @returns name → id, or `skip`
 * @throws ApiError 409 with too many own exercises, 422 while something is undecided
 */
export async function decide(tx: Transaction, userId: string, shown: Import): Promise<Map<string, number | 'skip'>> {
  const exercises = new Set((await tx.rows(LIST_EXERCISES, [userId])).map(({ id }) => id));
  const choices = shown.facts.names.map((one) => {
    const choice = choiceOf(one, shown);
    // One that has gone since is nobody's decision any more.
    return { one, choice: typeof choice === 'number' && !exercises.has(choice) ? null : choice };
  });
  const problems = choices
    .filter(({ choice }) => choice === null)
    .map(({ one }) => ({
      path: pathOf(one.name),
      message: 'Choose an exercise for this name, create one, or skip it',
    }));
  problems.unshift(...openQuestions(shown));
  if (problems.length > 0) throw validationFailed(problems);
  const { number } = await tx.one(COUNT_OWN, [userId]);
  if (number + choices.filter(({ choice }) => isCreation(choice)).length > MOST_OWN_EXERCISES) {
    throw new ApiError(409, 'EXERCISE_LIMIT_REACHED', `At most ${MOST_OWN_EXERCISES} own exercises can be stored`);
  }
  const decided = new Map<string, number | 'skip'>();
  for (const { one, choice } of choices) {
    if (choice === null) continue; // refused above
    decided.set(
      one.name,
      typeof choice === 'number' || choice === 'skip' ? choice : await create(tx, userId, shown, one),
    );
  }
  const said = [...decided].filter(
    (entry): entry is [string, number] => shown.mapping.has(entry[0]) && typeof entry[1] === 'number',
  );
  await tx.rows(REMEMBER_ALIASES, [userId, said.map(([name]) => name), said.map(([, id]) => id)]);
  return decided;
}

function openQuestions({ facts: { ambiguous }, unit, distance_unit, date_order }: Import): FieldProblem[] {
  return [
    ...(ambiguous.includes('unit') && unit === null
      ? [{ path: 'unit', message: 'The file does not say whether weights are in kg or lb. Choose one.' }]
      : []),
    ...(ambiguous.includes('distance-unit') && distance_unit === null
      ? [{ path: 'distanceUnit', message: 'The file does not say whether distances are in m, km or mi. Choose one.' }]
      : []),
    ...(ambiguous.includes('date-order') && date_order === null
      ? [{ path: 'dateOrder', message: 'The file does not say whether the day or the month comes first. Choose one.' }]
      : []),
  ];
}

/** Makes an own exercise for a name, as the file describes it or the person said. @returns its id */
async function create(tx: Transaction, userId: string, shown: Import, one: NameInFile): Promise<number> {
  const given = shown.facts.own?.exercises.find(({ name }) => name === one.name);
  const { muscle, measure } = creationOf(one, choiceOf(one, shown));
  const values = given
    ? [
        given.muscle,
        given.specificMuscle ?? given.muscle,
        given.measure,
        given.equipment,
        given.secondaryMuscles,
        given.description,
      ]
    : [muscle, muscle, measure, null, [], ''];
  const row = [userId, nameOfOwn(one.name), ...values, shown.id, given?.isArchived ?? false];
  return (await tx.one(CREATE_EXERCISE, row)).id;
}
