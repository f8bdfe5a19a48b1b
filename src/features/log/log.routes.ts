import { workoutForm } from '#training/workout.ts';
import { expectedVersions } from '#transport/preconditions.ts';
import { reply, route } from '#transport/route.ts';
import { noBody } from '#transport/schemas.ts';
import { workoutAnswer, workoutId, workoutsPage, workoutsQuery } from './log.schemas.ts';
import { deleteWorkout, duplicateWorkout, listWorkouts, putWorkout, readWorkout } from './log.service.ts';

export const logRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/workouts',
    operation: 'listWorkouts',
    auth: 'user',
    transaction: 'auto',
    summary: 'Workouts of the log with blocks and sets, newest first.',
    query: workoutsQuery,
    responses: { 200: workoutsPage },
    errors: [400],
    etag: true,
    handle: async ({ tx, caller, query, deps }) =>
      reply(200, await listWorkouts(tx, deps.config.secrets, caller.id, caller.storedZone, query)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/workouts/:id',
    operation: 'getWorkout',
    auth: 'user',
    transaction: 'auto',
    summary: 'A workout of the log.',
    params: workoutId,
    responses: { 200: workoutAnswer },
    errors: [404],
    isDocument: true,
    handle: async ({ tx, caller, params }) => reply(200, await readWorkout(tx, caller.id, params.id)),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/workouts/:id',
    operation: 'putWorkout',
    auth: 'user',
    transaction: 'auto',
    summary: 'Creates or replaces a workout, under an id of the caller. Repeating it changes nothing.',
    params: workoutId,
    body: workoutForm,
    responses: { 200: workoutAnswer, 201: workoutAnswer },
    errors: [404, 409, 412],
    headers: { 'If-Match': 'optional' },
    isDocument: true,
    async handle({ tx, caller, params, body, header }) {
      const expected = expectedVersions(header('if-match'));
      const { isNew, workout } = await putWorkout(tx, caller.id, params.id, body, expected);
      return isNew ? reply(201, workout) : reply(200, workout);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/workouts/:id',
    operation: 'deleteWorkout',
    auth: 'user',
    transaction: 'auto',
    summary: 'Removes a workout from the log, and from what the app shows. A PUT brings it back.',
    params: workoutId,
    responses: { 204: noBody },
    errors: [404, 412],
    headers: { 'If-Match': 'optional' },
    async handle({ tx, params, header }) {
      await deleteWorkout(tx, params.id, expectedVersions(header('if-match')));
      return reply(204);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/workouts/:id/duplicate',
    operation: 'duplicateWorkout',
    auth: 'user',
    transaction: 'auto',
    summary: 'Begins a workout with the blocks of another one.',
    params: workoutId,
    responses: { 201: workoutAnswer },
    errors: [404, 409],
    isDocument: true,
    idempotent: true,
    handle: async ({ tx, caller, params }) => reply(201, await duplicateWorkout(tx, caller.id, params.id)),
  }),
];
