import type { z } from 'zod';
import type { Transaction } from '#platform/postgres/database.ts';
import type { Muscle } from '#training/exercise.ts';
import { contentOf, type Writing } from './fileContent.ts';
import type { Choice, Comparison, Facts, Mapping, NameInFile } from './imports.documents.ts';
import * as documents from './imports.documents.ts';
import { COMPARE_WORKOUTS, FIND_VERSION, type ImportRow, LIST_WORKOUTS } from './imports.queries.ts';
import type { importAnswer } from './imports.schemas.ts';

const COMPARED_AT_ONCE = 50;
const MOST_EDITED_SHOWN = 100;
/** Workouts that are compared anew when a preview is read; larger ones when they are changed. */
const COMPARED_ON_READ = 1_000;
const SETS_COMPARED_ON_READ = 10_000;

/** An import with its documents parsed. */
export interface Import extends Omit<ImportRow, 'columns' | 'mapping' | 'facts' | 'comparison'> {
  columns: z.output<typeof documents.columns> | null;
  mapping: Mapping;
  facts: Facts;
  comparison: Comparison | null;
}

export const parsedImport = ({ columns, mapping, facts, comparison, ...row }: ImportRow): Import => ({
  ...row,
  columns: columns === null ? null : documents.columns.parse(columns),
  mapping: documents.mapping.parse(mapping),
  facts: documents.facts.parse(facts),
  comparison: comparison === null ? null : documents.comparison.parse(comparison),
});

/** What becomes of a name: what the person decided, or the exercise that it means, or one that its file brings along. */
export function choiceOf(
  { name, match }: NameInFile,
  { mapping, facts }: Pick<Import, 'mapping' | 'facts'>,
): Choice | null {
  const isBrought = facts.own?.exercises.some((exercise) => exercise.name === name) ?? false;
  return mapping.get(name) ?? match ?? (isBrought ? 'create' : null);
}

/** Name → exercise, of the names whose exercise is known. */
export function knownIds(shown: Pick<Import, 'mapping' | 'facts'>): Map<string, number> {
  return new Map(
    shown.facts.names.flatMap((one) => {
      const choice = choiceOf(one, shown);
      return typeof choice === 'number' ? [[one.name, choice] as const] : [];
    }),
  );
}

/** For names whose exercise is created or not decided yet: an id that no exercise of the log has. */
const placeholders = (shown: Pick<Import, 'mapping' | 'facts'>): Array<readonly [string, number]> =>
  shown.facts.names.flatMap((one, n) => (choiceOf(one, shown) === 'skip' ? [] : [[one.name, -1 - n] as const]));

/** Compares every workout of an import with the log as it is now. */
export async function compare(tx: Transaction, userId: string, shown: Import): Promise<Comparison> {
  const ids = new Map([...placeholders(shown), ...knownIds(shown)]);
  const writing: Writing = { ids, timeZone: shown.time_zone, unit: shown.unit };
  const version = (await tx.maybe(FIND_VERSION, [userId]))?.version ?? 0;
  const counts: Comparison = { version, new: 0, equal: 0, changed: 0, edited: [] };
  for (let from = 0; from < shown.total; from += COMPARED_AT_ONCE) {
    const rows = await tx.rows(LIST_WORKOUTS, [userId, shown.id, from, COMPARED_AT_ONCE]);
    const workouts = rows.flatMap(({ id, content }) => {
      const wanted = contentOf(documents.fileWorkout.parse(content), writing);
      return wanted ? [{ id, content: wanted }] : [];
    });
    for (const { pos, standing } of await tx.rows(COMPARE_WORKOUTS, [userId, shown.id, JSON.stringify(workouts)])) {
      counts[KINDS.get(standing) ?? 'changed']++;
      if (standing === 'edited') counts.edited.push(workouts[pos]?.id ?? '');
    }
  }
  return { ...counts, edited: counts.edited.slice(0, MOST_EDITED_SHOWN) };
}

const KINDS = new Map([
  ['new', 'new'],
  ['equal', 'equal'],
  ['near_equal', 'equal'],
] as const) as ReadonlyMap<string, 'new' | 'equal'>;

/** The answer. A preview is compared anew if the log has changed since. */
export async function presentImport(
  tx: Transaction,
  userId: string,
  shown: Import,
): Promise<z.input<typeof importAnswer>> {
  const { facts, comparison } = shown;
  const { version } = (await tx.maybe(FIND_VERSION, [userId])) ?? { version: 0 };
  const isLarge = shown.total > COMPARED_ON_READ || facts.sets > SETS_COMPARED_ON_READ;
  const isLeft = shown.state !== 'preview' || isLarge;
  const isCurrent = comparison !== null && (comparison.version === version || isLeft);
  const compared = isCurrent ? comparison : await compare(tx, userId, shown);
  return {
    id: shown.id,
    state: shown.state,
    failure: shown.failure,
    source: shown.source,
    timeZone: shown.time_zone,
    unit: shown.unit as z.input<typeof importAnswer>['unit'],
    distanceUnit: shown.distance_unit as z.input<typeof importAnswer>['distanceUnit'],
    dateOrder: shown.date_order as z.input<typeof importAnswer>['dateOrder'],
    columns: shown.columns === null ? null : Object.fromEntries(shown.columns),
    duplicates: shown.duplicates,
    createdAt: shown.created_at.toISOString(),
    workouts: shown.total,
    sets: facts.sets,
    firstDay: facts.firstDay,
    lastDay: facts.lastDay,
    skipped: facts.skipped,
    ignoredColumns: facts.ignoredColumns,
    ambiguous: facts.ambiguous,
    new: compared.new,
    equal: compared.equal,
    changed: compared.changed,
    edited: compared.edited,
    probableDuplicates: compared.equal + compared.changed,
    exercises: facts.names.map((one) => presentName(one, shown)),
    progress: { done: shown.done, total: shown.total, added: shown.added },
  };
}

function presentName(one: NameInFile, shown: Import) {
  const choice = choiceOf(one, shown);
  return {
    name: one.name,
    sets: one.sets,
    match: typeof choice === 'object' && choice !== null ? ('create' as const) : choice,
    candidates: one.candidates,
    ...creationOf(one, choice),
  };
}

/** What an exercise that is created for a name gets: what the person said, or what the file says. */
export function creationOf({ muscle, measure }: NameInFile, choice: Choice | null) {
  const said = typeof choice === 'object' && choice !== null ? choice.create : {};
  return { muscle: said.muscle ?? muscle ?? ('Other' satisfies Muscle), measure: said.measure ?? measure };
}
