import { z } from 'zod';
import { zoneName } from '#transport/timeZone.ts';
import { weightUnit } from '#transport/values.ts';

/** The fields beside the file. */
export const importForm = z.strictObject({
  timeZone: zoneName,
  unit: weightUnit.optional().meta({ description: 'Of weights in a file that names none.' }),
});

export const importChange = z.strictObject({
  mapping: z
    .record(z.string().max(200), z.union([z.int().positive(), z.enum(['create', 'skip'])]))
    .optional()
    .meta({ description: 'Name in the file: id of an exercise, `create` or `skip`.' }),
  unit: weightUnit.optional(),
  duplicates: z.enum(['skip', 'import']).optional(),
});

const candidate = z.object({ id: z.int(), name: z.string() });

const skippedLine = z.object({
  line: z.int(),
  reason: z.string().meta({ description: '`date`, `number`, `columns` or `no-exercise`.' }),
});

export const importAnswer = z.object({
  id: z.guid(),
  state: z.string().meta({ description: '`preview`, `committing`, `committed` or `undone`.' }),
  source: z.string(),
  timeZone: z.string(),
  unit: weightUnit.nullable(),
  duplicates: z.string(),
  createdAt: z.string(),
  workouts: z.int(),
  sets: z.int(),
  firstDay: z.string().nullable(),
  lastDay: z.string().nullable(),
  skipped: z.object({ lines: z.int(), first: z.array(skippedLine).meta({ description: 'At most 100.' }) }),
  ambiguous: z
    .array(z.string())
    .meta({ description: '`unit`, `unit-pounds`, `decimal-comma`: only the person knows.' }),
  probableDuplicates: z.int(),
  exercises: z.array(
    z.object({
      name: z.string(),
      sets: z.int(),
      match: z
        .union([z.int(), z.enum(['create', 'skip']), z.null()])
        .meta({ description: 'What becomes of it; null: not decided.' }),
      candidates: z.array(candidate),
    }),
  ),
  progress: z.object({ done: z.int(), total: z.int(), added: z.int() }),
});

export const importsAnswer = z.object({
  items: z.array(
    importAnswer.pick({ id: true, state: true, source: true, createdAt: true, workouts: true, progress: true }),
  ),
});

export const importId = z.object({ id: z.guid().transform((id) => id.toLowerCase()) });
export const undoQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') });
export const undoneAnswer = z.object({
  kept: z.array(z.guid()).meta({ description: 'Workouts that were edited since, and stay.' }),
});
