import { guarded, refused } from '../call.ts';
import { difference, type Expected, isObject, type Judge, show } from '../difference.ts';
import { analyticsView, cardioView, catalogueView, inboxView, planView, profileView, trackingView } from '../views.ts';
import { type Account, copyOf } from '../world.ts';
import { asReader, DEFAULT_ZONE, type Deed, pick, type Scene, tzQuery, ZONES } from './builder.ts';

/** Mostly the same one: what was read there before is in the cache. */
const CHOICES = [ZONES[0], ZONES[1], ZONES[0], undefined] as const;

/** A read of what the model knows, in a zone. */
function reading(
  path: string,
  name: string,
  view: (account: Account, zone: string, scene: Scene, now: number) => Expected,
): Deed {
  return {
    routes: [`GET ${path}`],
    build: (scene) => {
      const zone = pick(CHOICES, scene.move.a);
      return asReader(scene, {
        says: `reads ${name}${zone ? ` in ${zone}` : ''}`,
        path: path + tzQuery(zone),
        outcomes: (world, [from], token) =>
          guarded(world, token, (account, next) => [
            { world: next, status: 200, body: view(account, zone ?? DEFAULT_ZONE, scene, from) },
          ]),
      });
    },
  };
}

const inBadZone: Deed = {
  routes: ['GET /api/workouts/gettracking'],
  build: (scene) =>
    asReader(scene, {
      says: 'reads tracking in a zone that is none',
      path: '/api/workouts/gettracking?tz=Mars%2FBase',
      outcomes: (world, _at, token) =>
        guarded(world, token, (_account, next) => [refused(next, 400, 'INVALID_TIMEZONE')]),
    }),
};

/** Every part as its own endpoint answers it; a part may be absent only while something is broken. */
function bootstrapView(account: Account, zone: string, { stage }: Scene, now: number, mayLack: boolean): Judge {
  const parts: { [key: string]: Expected } = {
    user: profileView(account),
    workout: planView(account, zone, stage.catalogue),
    tracking: trackingView(account, zone, stage.catalogue, now),
    aerobics: cardioView(account, zone),
    messages: inboxView(account, zone),
  };
  return (actual) => {
    if (!isObject(actual)) return `${show(actual)} is no object`;
    const expected = Object.entries(parts).filter(([name]) => !mayLack || Object.hasOwn(actual, name));
    return difference(Object.fromEntries(expected), actual, 'bootstrap');
  };
}

const bootstrap: Deed = {
  routes: ['GET /api/bootstrap/get'],
  build: (scene) => {
    const zone = pick(CHOICES, scene.move.a);
    const call = asReader(scene, {
      says: `starts the app${zone ? ` in ${zone}` : ''}`,
      path: `/api/bootstrap/get${zone ? `?tz=${zone}` : ''}`,
      outcomes: (world, at, token) =>
        guarded(world, token, (account, next) => {
          const mayLack = scene.stage.wasTroubled(at);
          const answered = (of: Account) => bootstrapView(of, zone ?? DEFAULT_ZONE, scene, at[0], mayLack);
          const before = copyOf(next);
          account.zone = zone ?? account.zone;
          const outcomes = [{ world: next, status: 200, body: answered(account) }];
          if (mayLack && before.account) outcomes.push({ world: before, status: 200, body: answered(before.account) });
          return outcomes;
        }),
    });
    // Its parts need not be of the same moment.
    return { ...call, isAlone: true };
  },
};

export const reads = {
  profile: reading('/api/users/get', 'the profile', profileView),
  plan: reading('/api/workouts/getworkout', 'the plan', (account, zone, { stage }) =>
    planView(account, zone, stage.catalogue),
  ),
  tracking: reading('/api/workouts/gettracking', 'tracking', (account, zone, { stage }, now) =>
    trackingView(account, zone, stage.catalogue, now),
  ),
  cardioRead: reading('/api/aerobics/get', 'cardio', cardioView),
  analytics: reading('/api/analytics/get', 'analytics', (account, _zone, { stage }) =>
    analyticsView(account, stage.catalogue),
  ),
  inbox: reading('/api/messages/getmessages', 'the inbox', inboxView),
  catalogue: reading('/api/exercises/getall', 'the exercises', (_account, _zone, { stage }) =>
    catalogueView(stage.catalogue),
  ),
  inBadZone,
  bootstrap,
} satisfies Record<string, Deed>;
