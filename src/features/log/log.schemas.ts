import { z } from 'zod';
import { pageOf, pageQuery } from '#transport/paging.ts';
import { zoneName } from '#transport/timeZone.ts';
import { day, decimal, instant, weightUnit } from '#transport/values.ts';

const MOST_BLOCKS = 100;
const MOST_SETS = 50;

const kind = z.enum(['normal', 'warmup', 'drop', 'failure']);
const side = z.enum(['left', 'right']);
const note = z.string().max(2_000);

const setForm = z
  .strictObject({
    kind: kind.default('normal'),
    side: side.nullable().default(null),
    weight: decimal(0, 9999.999, 3).nullable().default(null).meta({ description: 'As it was entered, in `unit`.' }),
    unit: weightUnit.nullable().default(null),
    reps: z.int().min(0).max(10_000).nullable().default(null),
    seconds: z.int().min(0).max(1_000_000).nullable().default(null),
    distanceM: decimal(0, 1_000_000, 3).nullable().default(null),
    rpe: z.number().min(1).max(10).multipleOf(0.5).nullable().default(null),
    restSec: z.int().min(0).max(86_400).nullable().default(null),
    doneAt: instant.nullable().default(null),
  })
  .refine((set) => (set.weight === null) === (set.unit === null), {
    message: 'weight and unit go together',
    path: ['unit'],
  });

const blockForm = z.strictObject({
  id: z.guid(),
  exerciseId: z.int().positive(),
  superset: z.int().min(0).max(1_000).nullable().default(null),
  notes: note.default(''),
  sets: z.array(setForm).max(MOST_SETS),
});

/** What a document says of itself: it may be sent back, and counts for nothing. */
const readOnly = {
  id: z.guid().optional().meta({ description: 'Read only.' }),
  version: z.int().optional().meta({ description: 'Read only: for If-Match.' }),
  source: z.string().optional().meta({ description: 'Read only.' }),
  importId: z.string().nullable().optional().meta({ description: 'Read only.' }),
  createdAt: z.string().optional().meta({ description: 'Read only.' }),
  updatedAt: z.string().optional().meta({ description: 'Read only.' }),
};

export const workoutForm = z
  .strictObject({
    ...readOnly,
    title: z.string().trim().min(1).max(100),
    notes: note.default(''),
    startedAt: instant,
    endedAt: instant.nullable().default(null),
    timeZone: zoneName,
    splitId: z.int().positive().nullable().default(null),
    blocks: z.array(blockForm).max(MOST_BLOCKS),
  })
  .refine(
    ({ startedAt, endedAt }) => {
      const lasted = endedAt === null ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
      return lasted >= 0 && lasted <= 24 * 60 * 60 * 1000;
    },
    { message: 'must be between startedAt and 24 hours later', path: ['endedAt'] },
  )
  .refine(({ blocks }) => new Set(blocks.map(({ id }) => id.toLowerCase())).size === blocks.length, {
    message: 'ids of blocks must differ',
    path: ['blocks'],
  });

const setAnswer = z.object({
  kind,
  side: side.nullable(),
  weight: z.number().nullable(),
  unit: weightUnit.nullable(),
  reps: z.int().nullable(),
  seconds: z.int().nullable(),
  distanceM: z.number().nullable(),
  rpe: z.number().nullable(),
  restSec: z.int().nullable(),
  doneAt: z.string().nullable(),
});

export const blockAnswer = z.object({
  id: z.guid(),
  exerciseId: z.int(),
  superset: z.int().nullable(),
  notes: z.string(),
  sets: z.array(setAnswer),
});

export const workoutAnswer = z.object({
  id: z.guid(),
  version: z.int(),
  title: z.string(),
  notes: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  timeZone: z.string(),
  splitId: z.int().nullable(),
  source: z.string().meta({ description: '`app`, `logbook` or `import`.' }),
  importId: z.guid().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  blocks: z.array(blockAnswer),
});

export const workoutsPage = pageOf(workoutAnswer);
export const workoutId = z.object({ id: z.guid().transform((id) => id.toLowerCase()) });

/** From the first to the last day, in the zone of the request. */
export const workoutsQuery = z.strictObject({
  ...pageQuery,
  from: day.optional(),
  to: day.optional(),
  tz: zoneName.optional(),
  exerciseId: z.coerce.number().int().positive().optional(),
  q: z.string().trim().min(1).max(100).optional().meta({ description: 'In title, notes or names of exercises.' }),
});
