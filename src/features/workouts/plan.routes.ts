import { expectedVersions } from '#transport/preconditions.ts';
import { reply, route } from '#transport/route.ts';
import { planAnswer, planDocument } from './plan.schemas.ts';
import { putPlanDocument, readPlanDocument } from './plan.service.ts';
import { largeChanges } from './workouts.limits.ts';

/** The plan of the app, as the logbook shows and edits it. */
export const planRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/plan',
    operation: 'getPlan',
    auth: 'user',
    transaction: 'auto',
    summary: 'The active plan; without one, its name is null and there are no splits.',
    responses: { 200: planAnswer },
    isDocument: true,
    handle: async ({ tx, caller }) => reply(200, await readPlanDocument(tx, caller.id)),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/plan',
    operation: 'putPlan',
    auth: 'user',
    transaction: 'auto',
    summary: 'Creates or edits the active plan. Splits and exercises that stay keep their ids and their history.',
    body: planDocument,
    responses: { 200: planAnswer },
    errors: [409, 412],
    headers: { 'If-Match': 'optional' },
    limits: [{ limit: largeChanges, by: 'user' }],
    isDocument: true,
    handle: async ({ tx, caller, body, header }) =>
      reply(200, await putPlanDocument(tx, caller.id, body, expectedVersions(header('if-match')))),
  }),
];
