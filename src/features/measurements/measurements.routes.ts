import { expectedVersions } from '#transport/preconditions.ts';
import { reply, route } from '#transport/route.ts';
import { noBody } from '#transport/schemas.ts';
import {
  measurementAnswer,
  measurementForm,
  measurementId,
  measurementsPage,
  measurementsQuery,
} from './measurements.schemas.ts';
import { deleteMeasurement, listMeasurements, putMeasurement, readMeasurement } from './measurements.service.ts';

export const listMeasurementsRoute = route({
  method: 'GET',
  path: '/api/v1/measurements',
  operation: 'listMeasurements',
  auth: 'user',
  transaction: 'auto',
  summary: 'Measurements, newest first.',
  query: measurementsQuery,
  responses: { 200: measurementsPage },
  errors: [400],
  etag: true,
  handle: async ({ tx, caller, query, deps }) =>
    reply(200, await listMeasurements(tx, deps.config.secrets, caller.id, caller.storedZone, query)),
});

export const measurementsRoutes = [
  listMeasurementsRoute,
  route({
    method: 'GET',
    path: '/api/v1/measurements/:id',
    operation: 'getMeasurement',
    auth: 'user',
    transaction: 'auto',
    summary: 'A measurement.',
    params: measurementId,
    responses: { 200: measurementAnswer },
    errors: [404],
    isDocument: true,
    handle: async ({ tx, caller, params }) => reply(200, await readMeasurement(tx, caller.id, params.id)),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/measurements/:id',
    operation: 'putMeasurement',
    auth: 'user',
    transaction: 'auto',
    summary: 'Creates or replaces a measurement, under an id of the caller.',
    params: measurementId,
    body: measurementForm,
    responses: { 200: measurementAnswer, 201: measurementAnswer },
    errors: [404, 412],
    headers: { 'If-Match': 'optional' },
    isDocument: true,
    async handle({ tx, caller, params, body, header }) {
      const expected = expectedVersions(header('if-match'));
      const { isNew, measurement } = await putMeasurement(tx, caller.id, params.id, body, expected);
      return isNew ? reply(201, measurement) : reply(200, measurement);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/measurements/:id',
    operation: 'deleteMeasurement',
    auth: 'user',
    transaction: 'auto',
    summary: 'Removes a measurement.',
    params: measurementId,
    responses: { 204: noBody },
    errors: [404, 412],
    headers: { 'If-Match': 'optional' },
    async handle({ tx, params, header }) {
      await deleteMeasurement(tx, params.id, expectedVersions(header('if-match')));
      return reply(204);
    },
  }),
];
