import { reply, route } from '#transport/route.ts';
import {
  calendarAnswer,
  exerciseId,
  historyPage,
  historyQuery,
  lastAnswer,
  musclesAnswer,
  recordsAnswer,
  spanQuery,
  summaryAnswer,
  summaryQuery,
  volumeAnswer,
  volumeQuery,
  weeksQuery,
} from './statistics.schemas.ts';
import {
  readCalendar,
  readHistory,
  readLast,
  readMuscles,
  readRecords,
  readSummary,
  readVolume,
} from './statistics.service.ts';

export const listRecords = route({
  method: 'GET',
  path: '/api/v1/records',
  operation: 'listRecords',
  auth: 'user',
  transaction: 'auto',
  summary: 'The bests of every exercise that was done.',
  responses: { 200: recordsAnswer },
  etag: true,
  cache: { namespace: 'records', dependsOn: ['log', 'plan', 'catalogue'] },
  handle: async ({ tx, caller }) => reply(200, await readRecords(tx, caller.id)),
});

export const getSummary = route({
  method: 'GET',
  path: '/api/v1/stats/summary',
  operation: 'getSummary',
  auth: 'user',
  transaction: 'auto',
  summary: 'This week, the mean of the four before, and everything.',
  query: summaryQuery,
  responses: { 200: summaryAnswer },
  etag: true,
  handle: async ({ tx, caller, query }) => reply(200, await readSummary(tx, caller.id, caller.storedZone, query)),
});

export const getCalendar = route({
  method: 'GET',
  path: '/api/v1/stats/calendar',
  operation: 'getCalendar',
  auth: 'user',
  transaction: 'auto',
  summary: 'Workouts, sets, minutes and volume of each day on which there were any.',
  query: spanQuery,
  responses: { 200: calendarAnswer },
  etag: true,
  handle: async ({ tx, caller, query: { tz, ...span } }) =>
    reply(200, await readCalendar(tx, caller.id, { ...span, zone: tz ?? caller.storedZone })),
});

export const getMuscles = route({
  method: 'GET',
  path: '/api/v1/stats/muscles',
  operation: 'getMuscles',
  auth: 'user',
  transaction: 'auto',
  summary: 'Hard sets for each muscle and week; for helping muscles half.',
  query: weeksQuery,
  responses: { 200: musclesAnswer },
  etag: true,
  handle: async ({ tx, caller, query: { tz, ...span } }) =>
    reply(200, await readMuscles(tx, caller.id, { ...span, zone: tz ?? caller.storedZone })),
});

export const statisticsRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/exercises/:id/history',
    operation: 'getExerciseHistory',
    auth: 'user',
    transaction: 'auto',
    summary: 'What was done with an exercise, workout by workout, newest first.',
    params: exerciseId,
    query: historyQuery,
    responses: { 200: historyPage },
    errors: [400, 404],
    etag: true,
    handle: async ({ tx, caller, params, query, deps }) =>
      reply(200, await readHistory(tx, deps.config.secrets, caller.id, params.id, caller.storedZone, query)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/exercises/:id/last',
    operation: 'getExerciseLast',
    auth: 'user',
    transaction: 'auto',
    summary: 'What was done with an exercise last time.',
    params: exerciseId,
    responses: { 200: lastAnswer },
    errors: [404],
    etag: true,
    handle: async ({ tx, caller, params }) => reply(200, await readLast(tx, caller.id, params.id)),
  }),
  listRecords,
  getSummary,
  getCalendar,
  getMuscles,
  route({
    method: 'GET',
    path: '/api/v1/stats/volume',
    operation: 'getVolume',
    auth: 'user',
    transaction: 'auto',
    summary: 'Workouts, sets, minutes and volume of each week.',
    query: volumeQuery,
    responses: { 200: volumeAnswer },
    etag: true,
    handle: async ({ tx, caller, query: { tz, ...span } }) =>
      reply(200, await readVolume(tx, caller.id, { ...span, zone: tz ?? caller.storedZone })),
  }),
];
