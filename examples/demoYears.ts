// Two plausible years of training, the same every time: progress, two pauses, a cut, deloads. In the logbook's own format.

const DAY_MS = 86_400_000;
const WEEKS = 104;

/** Splits of a week: weekday from Monday, title, exercises of the catalogue with their load in the first week, kg. */
const WEEK: Array<[weekday: number, title: string, exercises: Array<[name: string, kg: number, reps: number]>]> = [
  [
    0,
    'Push',
    [
      ['Bench Press', 60, 8],
      ['Overhead Press', 35, 8],
      ['Triceps Pushdown', 22.5, 12],
    ],
  ],
  [
    1,
    'Pull',
    [
      ['Deadlift', 90, 5],
      ['Bent Over Row', 50, 8],
      ['Barbell Curl', 25, 10],
    ],
  ],
  [
    3,
    'Legs',
    [
      ['Back Squat', 75, 6],
      ['Leg Press', 120, 10],
      ['Calf Raise', 50, 12],
    ],
  ],
  [
    5,
    'Upper body',
    [
      ['Bench Press', 55, 10],
      ['Pull Up', 0, 8],
      ['Barbell Curl', 22.5, 12],
    ],
  ],
];

/** Weeks without training: a flu and a holiday. */
const PAUSES = new Set([18, 19, 61, 62, 63]);
/** The cut: weight goes down, strength stands still. */
const CUT = { from: 70, to: 84 };

const halves = (kg: number) => Math.round(kg / 2.5) * 2.5;
/** Between 0 and 1, the same for the same number. */
const noise = (n: number) => Math.abs(Math.sin(n * 12.9898) * 43758.5453) % 1;

/** How much stronger than in the first week: quick at first, slower later. */
function strength(week: number): number {
  const trained =
    week - [...PAUSES].filter((pause) => pause < week).length - Math.max(0, Math.min(week, CUT.to) - CUT.from);
  return 1 + 0.45 * (1 - Math.exp(-trained / 45));
}

function bodyWeight(week: number): number {
  const bulk = 78 + Math.min(week, CUT.from) * 0.08;
  const lost = Math.max(0, Math.min(week, CUT.to) - CUT.from) * 0.4;
  return bulk - lost + Math.max(0, week - CUT.to) * 0.05;
}

const uuid = (kind: number, n: number) => `0190${kind}000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/**
 * @param now instant in milliseconds; the last workout is of the days before
 * @param known names of the catalogue: what it does not have is left out
 */
export function demoYears(now: number, timeZone: string, known: Set<string>): object {
  const monday = now - ((new Date(now).getUTCDay() + 6) % 7) * DAY_MS;
  const first = Math.floor(monday / DAY_MS) * DAY_MS - (WEEKS - 1) * 7 * DAY_MS;
  const workouts: object[] = [];
  const measurements: object[] = [];
  let sets = 0;
  for (let week = 0; week < WEEKS; week++) {
    for (const weekday of [0, 2, 4, 6]) {
      const at = first + (week * 7 + weekday) * DAY_MS + 7 * 3_600_000;
      if (at > now) continue;
      const value = Math.round((bodyWeight(week) + noise(week * 7 + weekday) - 0.5) * 10) / 10;
      const id = uuid(2, measurements.length);
      measurements.push({ id, kind: 'body_weight', value, unit: 'kg', measuredAt: new Date(at).toISOString() });
    }
    if (PAUSES.has(week)) continue;
    const isDeload = week % 8 === 5;
    for (const [weekday, title, exercises] of WEEK) {
      const start =
        first + (week * 7 + weekday) * DAY_MS + 17 * 3_600_000 + Math.round(noise(week + weekday) * 40) * 60_000;
      if (start + 3_600_000 > now || noise(week * 31 + weekday) < 0.06) continue; // now and then one is missed
      const blocks = exercises
        .filter(([name]) => known.has(name))
        .map(([name, kg, reps], place) => {
          const load = halves(kg * strength(week) * (isDeload ? 0.7 : 1));
          const work = Array.from({ length: isDeload ? 2 : 3 }, (_, n) => ({
            ...EMPTY,
            ...(kg > 0 ? { weight: load, unit: 'kg' } : {}),
            reps: Math.max(1, reps - (n === 2 && noise(++sets) < 0.5 ? 1 : 0) + (kg > 0 ? 0 : Math.floor(week / 20))),
          }));
          const warmup = { ...EMPTY, kind: 'warmup', weight: halves(load * 0.6), unit: 'kg', reps: 5 };
          return {
            id: uuid(1, workouts.length * 8 + place),
            exercise: name,
            isOwn: false,
            superset: null,
            notes: '',
            sets: kg > 0 && place === 0 ? [warmup, ...work] : work,
          };
        });
      workouts.push({
        id: uuid(0, workouts.length),
        title: isDeload ? `${title}, deload` : title,
        notes: week === CUT.from && weekday === 0 ? 'The cut begins.' : '',
        startedAt: new Date(start).toISOString(),
        endedAt: new Date(start + (50 + Math.round(noise(start) * 20)) * 60_000).toISOString(),
        timeZone,
        blocks,
      });
    }
  }
  return { format: 'strong-together-logbook', formatVersion: 1, exercises: [], workouts, measurements };
}

const EMPTY = {
  kind: 'normal',
  side: null,
  weight: null,
  unit: null,
  reps: null,
  seconds: null,
  distanceM: null,
  rpe: null,
  restSec: null,
  doneAt: null,
};
