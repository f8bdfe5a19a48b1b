import { ApiError, validationFailed } from '#platform/apiError.ts';
import { reply, route } from '#transport/route.ts';
import { timeZoneQuery } from '#transport/timeZone.ts';
import { finishWorkout, unknownExercise } from './finish.service.ts';
import { namePlanProblems, nameWorkoutProblems } from './problems.service.ts';
import { tracking } from './tracking.schemas.ts';
import { readTracking } from './tracking.service.ts';
import { largeChanges } from './workouts.limits.ts';
import { finishedWorkout, plan, planForm, savedPlan } from './workouts.schemas.ts';
import { findNames, lettered, readPlan, SAME_NAME, sameNames, savePlan } from './workouts.service.ts';

export const getPlan = route({
  method: 'GET',
  path: '/api/workouts/getworkout',
  auth: 'user',
  transaction: 'auto',
  summary: 'The active plan.',
  query: timeZoneQuery,
  responses: { 200: plan },
  etag: true,
  cache: {
    namespace: 'plan',
    dependsOn: ['plan', 'catalogue'],
    seconds: (config) => config.CACHE_TTL_PLAN_SEC,
    isTold: true,
  },
  async handle({ tx, caller, query, deps }) {
    const found = await readPlan(tx, caller.id, query.tz ?? deps.config.DEFAULT_TZ);
    return reply(200, found ?? { workoutPlan: null });
  },
});

export const workoutsRoutes = [
  getPlan,
  route({
    method: 'POST',
    path: '/api/workouts/add',
    auth: 'user',
    transaction: 'auto',
    summary: 'Creates or edits the active plan.',
    body: planForm,
    responses: { 200: savedPlan },
    errors: [409],
    constraints: { exercisetoworkoutsplit_exercise_id_fkey: unknownExercise },
    limits: [{ limit: largeChanges, by: 'user' }],
    nameProblems: namePlanProblems,
    idempotent: true,
    async handle({ tx, caller, body, deps }) {
      const { workoutName, workoutData, tz: zone = deps.config.DEFAULT_TZ } = body;
      const splits = Object.entries(workoutData);
      const problems = sameNames(splits, await findNames(tx, splits), (s, e, name) => ({
        path: `workoutData.${splits[s]?.[0]}.${e}.id`,
        message: `Split ${splits[s]?.[0]}, ${name}: ${SAME_NAME}`,
      }));
      if (problems.length > 0) throw validationFailed(problems);
      const saved = await savePlan(tx, caller.id, workoutName, lettered(splits), zone);
      return reply(200, { message: 'Workout created successfully!', ...saved });
    },
  }),
  route({
    method: 'POST',
    path: '/api/workouts/finishworkout',
    auth: 'user',
    transaction: 'auto',
    summary: 'Stores a workout, once for each start time, and answers with the tracking that includes it.',
    limits: [{ limit: largeChanges, by: 'user' }],
    nameProblems: nameWorkoutProblems,
    body: finishedWorkout,
    responses: { 200: tracking },
    errors: [409],
    idempotent: true,
    replay: async ({ tx, caller, body, deps }) =>
      reply(200, (await readTracking(tx, caller.id, body.tz ?? deps.config.DEFAULT_TZ, body)).answer),
    handle: async ({ tx, caller, body, deps }) => reply(200, await finishWorkout(tx, deps, caller.id, body)),
  }),
  route({
    method: 'DELETE',
    path: '/api/workouts/delete',
    auth: 'user',
    transaction: 'manual',
    summary: 'Not available: answers 501 and changes nothing.',
    responses: {},
    errors: [501],
    async handle(): Promise<never> {
      throw new ApiError(501, 'NOT_IMPLEMENTED', 'Not implemented');
    },
  }),
];
