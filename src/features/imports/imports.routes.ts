import { reply, route } from '#transport/route.ts';
import { importsByPerson } from './imports.limits.ts';
import {
  importAnswer,
  importChange,
  importForm,
  importId,
  importsAnswer,
  undoneAnswer,
  undoQuery,
} from './imports.schemas.ts';
import { changeImport, commitImport, createImport, listImports, readImport, undoImport } from './imports.service.ts';

const MOST_BYTES = 10 * 1024 * 1024;
export const importsRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/imports',
    operation: 'createImport',
    auth: 'user',
    transaction: 'manual',
    summary: 'Reads a file of another program or an own export; nothing is in the log before it is committed.',
    upload: { field: 'file', maxBytes: MOST_BYTES, inTurn: true },
    body: importForm,
    responses: { 201: importAnswer },
    errors: [408],
    limits: [{ limit: importsByPerson, by: 'user' }],
    handle: async ({ transaction, caller, file, body, deps, signal }) =>
      reply(201, await deps.fileReads(caller.id, () => createImport(transaction, caller.id, file, body), signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/imports',
    operation: 'listImports',
    auth: 'user',
    transaction: 'auto',
    summary: 'The last fifty imports, newest first.',
    responses: { 200: importsAnswer },
    etag: true,
    handle: async ({ tx, caller }) => reply(200, await listImports(tx, caller.id)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/imports/:id',
    operation: 'getImport',
    auth: 'user',
    transaction: 'auto',
    summary: 'An import: its preview, or how far it is.',
    params: importId,
    responses: { 200: importAnswer },
    errors: [404],
    etag: true,
    handle: async ({ tx, caller, params }) => reply(200, await readImport(tx, caller.id, params.id)),
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/imports/:id',
    operation: 'changeImport',
    auth: 'user',
    transaction: 'manual',
    summary: 'Decides what becomes of exercises, units, columns and workouts that are in the log already.',
    params: importId,
    body: importChange,
    responses: { 200: importAnswer },
    errors: [404, 409],
    handle: async ({ transaction, caller, params, body, deps, signal }) => {
      const inTurn = <T>(work: () => Promise<T>) => deps.fileReads(caller.id, work, signal);
      return reply(200, await changeImport(transaction, inTurn, caller.id, params.id, body));
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/imports/:id/commit',
    operation: 'commitImport',
    auth: 'user',
    transaction: 'auto',
    summary: 'Has the import written into the log; one that failed is tried again. Again changes nothing.',
    params: importId,
    responses: { 202: importAnswer },
    errors: [404, 409],
    handle: async ({ tx, caller, params, deps }) =>
      reply(202, await commitImport(tx, deps.outbox, caller.id, params.id)),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/imports/:id',
    operation: 'undoImport',
    auth: 'user',
    transaction: 'auto',
    summary: 'Takes an import back; what was edited since stays, unless force is true.',
    params: importId,
    query: undoQuery,
    responses: { 200: undoneAnswer },
    errors: [404, 409],
    handle: async ({ tx, params, query }) => reply(200, await undoImport(tx, params.id, query.force === 'true')),
  }),
];
