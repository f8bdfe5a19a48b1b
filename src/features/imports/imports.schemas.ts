import { z } from 'zod';
import { measure, muscle } from '#training/exercise.ts';
import { weightUnit, zoneName } from '#training/values.ts';
import { columns, mapping } from './imports.documents.ts';

const distanceUnit = z.enum(['m', 'km', 'mi']);
const dateOrder = z.enum(['dmy', 'mdy']);

/** JSON in a field of a form. */
const columnsField = z
  .string()
  .max(5_000)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON: an object of field and header' });
      return z.NEVER;
    }
  })
  .pipe(columns);

/** The fields beside the file. */
export const importForm = z.strictObject({
  timeZone: zoneName,
  unit: weightUnit.optional().meta({ description: 'Of weights in a file that names none.' }),
  distanceUnit: distanceUnit.optional().meta({ description: 'Of distances in a file that names none.' }),
  dateOrder: dateOrder.optional().meta({ description: 'Whether 3/4/2025 is in April (`dmy`) or in March (`mdy`).' }),
  columns: columnsField.optional().meta({
    description:
      'For a file of no known program, JSON: which column is `date`, `time`, `title`, `exercise`, `weight`, `unit`, ' +
      '`reps`, `seconds`, `distance`, `distanceUnit`, `notes`, `kind`, `rpe`, `duration`, by their headers.',
  }),
});

export const importChange = z.strictObject({
  mapping: mapping.optional().meta({
    description:
      'Name in the file: id of an exercise, `create`, `skip`, or `{ create: { muscle, measure } }`. At most 2,000 names.',
  }),
  unit: weightUnit.optional(),
  distanceUnit: distanceUnit.optional(),
  dateOrder: dateOrder.optional(),
  columns: columns.optional(),
  duplicates: z
    .enum(['skip', 'import', 'replace'])
    .optional()
    .meta({
      description:
        'What becomes of workouts that are in the log already: `skip` leaves the log as it is, `import` adds those that only ' +
        'look alike, `replace` takes the content of the file for those of the same file that nobody has edited.',
    }),
});

const candidate = z.object({ id: z.int(), name: z.string() });

const skippedLine = z.object({
  line: z.int(),
  reason: z.string().meta({
    description:
      'What is wrong: `date`, `number`, `columns` (too few), `quote` (never closed), `no-exercise`, a field whose value a ' +
      'set may not have (`weight`, `unit`, `reps`, `seconds`, `distance`, `rpe`, `rest`, `superset`), `blocks` (too many); ' +
      'of an own export the place and the reason.',
  }),
});

export const importAnswer = z.object({
  id: z.guid(),
  state: z.string().meta({ description: '`preview`, `committing`, `committed`, `failed` or `undone`.' }),
  failure: z.string().nullable().meta({ description: 'Why it failed; it can be committed again or taken back.' }),
  source: z.string(),
  timeZone: z.string(),
  unit: weightUnit.nullable(),
  distanceUnit: distanceUnit.nullable(),
  dateOrder: dateOrder.nullable(),
  columns: z.record(z.string(), z.string()).nullable(),
  duplicates: z.string(),
  createdAt: z.string(),
  workouts: z.int(),
  sets: z.int(),
  firstDay: z.string().nullable(),
  lastDay: z.string().nullable(),
  skipped: z.object({ lines: z.int(), first: z.array(skippedLine).meta({ description: 'At most 100.' }) }),
  ignoredColumns: z.array(z.string()).meta({ description: 'Columns that nothing reads.' }),
  ambiguous: z.array(z.string()).meta({
    description:
      'What only the person knows: `unit`, `unit-pounds` (kilograms that look like pounds), `unit-kilograms`, ' +
      '`distance-unit`, `date-order`, `decimal-comma`.',
  }),
  new: z.int().meta({ description: 'Workouts that the log does not have.' }),
  equal: z.int().meta({ description: 'Workouts that the log has with the same content.' }),
  changed: z.int().meta({ description: 'Workouts that the log has with other content.' }),
  edited: z
    .array(z.guid())
    .meta({ description: 'Of those that changed, the ones that were edited here; at most 100.' }),
  probableDuplicates: z.int().meta({ description: 'Equal and changed ones together.' }),
  exercises: z.array(
    z.object({
      name: z.string(),
      sets: z.int(),
      match: z
        .union([z.int(), z.enum(['create', 'skip']), z.null()])
        .meta({ description: 'What becomes of it; null: not decided.' }),
      candidates: z.array(candidate),
      muscle: muscle.meta({ description: 'Of the exercise that `create` makes; `Other` until somebody says.' }),
      measure: measure.meta({ description: 'Of the exercise that `create` makes.' }),
    }),
  ),
  progress: z.object({ done: z.int(), total: z.int(), added: z.int() }),
});

export const importsAnswer = z.object({
  items: z.array(
    importAnswer.pick({
      id: true,
      state: true,
      failure: true,
      source: true,
      createdAt: true,
      workouts: true,
      progress: true,
    }),
  ),
});

export const importId = z.object({ id: z.guid().transform((id) => id.toLowerCase()) });
export const undoQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') });
export const undoneAnswer = z.object({
  kept: z.array(z.guid()).meta({ description: 'Workouts that were edited since: they stay.' }),
});
