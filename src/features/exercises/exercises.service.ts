import type { Transaction } from '#platform/postgres/database.ts';
import { LIST_EXERCISES } from './exercises.queries.ts';

const byName = new Intl.Collator('en');

/** The whole catalogue: target muscle → its exercises in English alphabetical order. */
export async function readCatalogue(tx: Transaction) {
  const rows = await tx.rows(LIST_EXERCISES);
  rows.sort((a, b) => byName.compare(a.name, b.name));
  const byMuscle = Map.groupBy(rows, (row) => row.targetmuscle);
  return Object.fromEntries(
    [...byMuscle].map(([muscle, exercises]) => [
      muscle,
      exercises.map((row) => ({ id: row.id, name: row.name, specificTargetMuscle: row.specifictargetmuscle })),
    ]),
  );
}
