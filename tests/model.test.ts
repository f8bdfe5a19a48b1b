import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { api } from '#src/api.ts';
import { isLogbook } from '#transport/face.ts';
import { audit } from './model/audit.ts';
import type { Move } from './model/calls/builder.ts';
import { DEED_NAMES, DEEDS } from './model/calls/deeds.ts';
import { BEGINNINGS } from './model/cast.ts';
import { FAULTS, type FaultName } from './model/faults.ts';
import { mostWorlds, Play, type Round, type Story } from './model/play.ts';
import { openStage, type Stage } from './model/stage.ts';

// Random people do random things on two instances while random things break; a plain model in memory says what may
// be answered. A failure says how to play its story again. With MODEL_SECONDS=900 many long stories are played for a
// quarter of an hour (or MODEL_RUNS of them); with MODEL_SHRINK a failing one is made shorter; with MODEL_CALM nothing
// breaks.

const { MODEL_SEED, MODEL_PATH, MODEL_RUNS, MODEL_SECONDS, MODEL_CALM, MODEL_SHRINK } = process.env;
/** With time, one seed and long stories, one after the other. */
const isLong = MODEL_SECONDS !== undefined;
const SECONDS = Number(MODEL_SECONDS ?? 120);
const RUNS = Number(MODEL_RUNS ?? (isLong && !MODEL_PATH ? 1_000_000 : 1));
const MOST_ROUNDS = isLong ? 40 : 20;
const RANDOM_SEED = Number(MODEL_SEED ?? Math.trunc(Math.random() * 2 ** 31));
const SEEDS = isLong || MODEL_SEED ? [RANDOM_SEED] : [11, 22, RANDOM_SEED];

const plain = { noNullPrototype: true };
const bit = fc.constantFrom<0 | 1>(0, 1);
const move: fc.Arbitrary<Move> = fc.record(
  {
    who: fc.nat(4),
    does: fc.constantFrom(...DEED_NAMES),
    a: fc.nat(11),
    b: fc.nat(11),
    c: fc.nat(11),
    // Mostly the one phone: each sign-in on the other ends its session.
    phone: fc.oneof({ weight: 12, arbitrary: fc.constant<0>(0) }, { weight: 1, arbitrary: fc.constant<1>(1) }),
    instance: bit,
    isLost: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    patienceMs: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(30) }),
  },
  plain,
);
const fault = fc.record(
  {
    name: fc.constantFrom(...(Object.keys(FAULTS) as FaultName[])),
    afterMs: fc.nat(60),
    lasts: fc.integer({ min: 1, max: 3 }),
  },
  plain,
);
const moves = (most: number) => fc.array(move, { minLength: 1, maxLength: most, size: 'max' });
const calmRound = fc.record<Round>({ moves: moves(6), fault: fc.constant(null) }, plain);
/** Much is under way when something breaks. */
const badRound = fc.record<Round>({ moves: moves(12), fault }, plain);
const round = fc.oneof({ weight: 3, arbitrary: calmRound }, { weight: MODEL_CALM ? 0 : 1, arbitrary: badRound });
const story: fc.Arbitrary<Story> = fc.record(
  {
    beginnings: fc.array(fc.constantFrom('member' as const, 'member' as const, 'member' as const, ...BEGINNINGS), {
      minLength: 3,
      maxLength: 5,
    }),
    rounds: fc.array(round, { minLength: 1, maxLength: MOST_ROUNDS, size: 'max' }),
  },
  plain,
);

/** What failed, the story as it happened, the story as data, and how to play it again. */
function report(details: fc.RunDetails<[Story]>): void {
  const { failed, numRuns, seed, counterexample, counterexamplePath, errorInstance } = details;
  if (MODEL_SECONDS)
    console.log(`${numRuns} stories of seed ${seed}; at most ${mostWorlds()} possibilities for one person`);
  if (!failed) return;
  const size = MODEL_SECONDS ? ` MODEL_SECONDS=${MODEL_SECONDS}` : '';
  const again = `MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath}${size} npx vitest run tests/model.test.ts`;
  const told = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const message = `${told}\n\nAs data: ${JSON.stringify(counterexample?.[0])}\n\nAgain: ${again}`;
  throw new Error(message, { cause: errorInstance });
}

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage?.close());

it('knows every route of the app', () => {
  // The logbook has models of its own: src/features/statistics/statistics.test.ts, tests/importKill.test.ts.
  const routes = api.filter(({ path }) => !isLogbook(path)).map(({ method, path }) => `${method} ${path}`);
  expect(new Set(Object.values(DEEDS).flatMap((deed) => deed.routes))).toEqual(new Set(routes));
});

it.each(SEEDS)(
  'seed %i: nothing that was acknowledged is missing, nothing foreign is seen, every mail arrives once',
  async (seed) => {
    let stories = 0;
    await fc.assert(
      fc.asyncProperty(story, async ({ beginnings, rounds }) => {
        const play = new Play(stage, beginnings);
        await play.begin();
        try {
          for (const [n, one] of rounds.entries()) await play.round(n, one);
        } finally {
          await play.heal();
        }
        await audit(play, stage);
        stories++;
      }),
      {
        seed,
        ...(MODEL_PATH ? { path: MODEL_PATH } : {}),
        numRuns: RUNS,
        endOnFailure: !MODEL_SHRINK,
        interruptAfterTimeLimit: SECONDS * 1000,
        markInterruptAsFailure: false,
        reporter: report,
      },
    );
    expect(stories).toBeGreaterThan(0);
  },
  SECONDS * 1000 + 120_000,
);
