import { exerciseForm } from '#training/exercise.ts';
import { expectedVersions } from '#transport/preconditions.ts';
import { reply, route } from '#transport/route.ts';
import { noBody } from '#transport/schemas.ts';
import { changedExercise, exerciseAnswer, exerciseId, exercisesAnswer } from './ownExercises.schemas.ts';
import { changeExercise, createExercise, listExercises, nameTaken, removeExercise } from './ownExercises.service.ts';

const constraints = { exercises_name_key: nameTaken, exercises_name_taken: nameTaken };

export const ownExercisesRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/exercises',
    operation: 'listExercises',
    auth: 'user',
    transaction: 'auto',
    summary: 'The catalogue and the own exercises, by name.',
    responses: { 200: exercisesAnswer },
    etag: true,
    cache: { namespace: 'exercises', dependsOn: ['catalogue', 'plan'] },
    handle: async ({ tx }) => reply(200, await listExercises(tx)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/exercises',
    operation: 'createExercise',
    auth: 'user',
    transaction: 'auto',
    summary: 'Adds an own exercise; it can be planned in the app, too.',
    body: exerciseForm,
    responses: { 201: exerciseAnswer },
    errors: [409],
    constraints,
    isDocument: true,
    idempotent: true,
    handle: async ({ tx, body }) => reply(201, await createExercise(tx, body)),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/exercises/:id',
    operation: 'putExercise',
    auth: 'user',
    transaction: 'auto',
    summary: 'Changes an own exercise. Its name counts wherever it was done.',
    params: exerciseId,
    body: changedExercise,
    responses: { 200: exerciseAnswer },
    errors: [404, 412],
    constraints,
    headers: { 'If-Match': 'optional' },
    isDocument: true,
    async handle({ tx, params, body, header }) {
      return reply(200, await changeExercise(tx, params.id, body, expectedVersions(header('if-match'))));
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/exercises/:id',
    operation: 'deleteExercise',
    auth: 'user',
    transaction: 'auto',
    summary: 'Removes an own exercise; one that was done or planned is archived instead.',
    params: exerciseId,
    responses: { 204: noBody },
    errors: [404],
    async handle({ tx, params }) {
      await removeExercise(tx, params.id);
      return reply(204);
    },
  }),
];
