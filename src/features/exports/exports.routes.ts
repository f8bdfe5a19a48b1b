import { z } from 'zod';
import { reply, route } from '#transport/route.ts';
import { archive } from './archive.service.ts';
import { exportsByPerson } from './exports.limits.ts';
import { hevyCsv, ownJson, strongCsv } from './exports.service.ts';

const limits = [{ limit: exportsByPerson, by: 'user' as const }];

/** The pieces of a file take the place of a body of its type. */
const file = <Body>(pieces: AsyncIterable<string | Buffer>): Body => pieces as unknown as Body;

export const exportsRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/exports/logbook.json',
    operation: 'exportLogbook',
    auth: 'user',
    transaction: 'manual',
    summary: 'Everything of the logbook; imported into another account, it is the same again.',
    responses: { 200: z.object({ format: z.string(), formatVersion: z.int() }).loose() },
    download: 'logbook.json',
    limits,
    handle: async ({ transaction, caller }) => reply(200, file(ownJson(transaction, caller.id))),
  }),
  route({
    method: 'GET',
    path: '/api/v1/exports/hevy.csv',
    operation: 'exportHevy',
    auth: 'user',
    transaction: 'manual',
    summary: "All sets in Hevy's columns, in the unit of most loads.",
    produces: 'text/csv',
    responses: { 200: z.string() },
    download: 'hevy.csv',
    limits,
    handle: async ({ transaction, caller }) => reply(200, file(hevyCsv(transaction, caller.id))),
  }),
  route({
    method: 'GET',
    path: '/api/v1/exports/strong.csv',
    operation: 'exportStrong',
    auth: 'user',
    transaction: 'manual',
    summary: "All sets in Strong's columns.",
    query: z.strictObject({ unit: z.enum(['kg', 'lb']).default('kg') }),
    produces: 'text/csv',
    responses: { 200: z.string() },
    download: 'strong.csv',
    limits,
    handle: async ({ transaction, caller, query }) => reply(200, file(strongCsv(transaction, caller.id, query.unit))),
  }),
  route({
    method: 'GET',
    path: '/api/v1/exports/archive.zip',
    operation: 'exportArchive',
    auth: 'user',
    transaction: 'manual',
    summary: 'All that is stored about the caller, as JSON and CSV, with a README.',
    produces: 'application/zip',
    responses: { 200: z.string().meta({ format: 'binary' }) },
    errors: [503],
    download: 'archive.zip',
    limits,
    handle: async ({ transaction, caller, deps }) => reply(200, file(archive(deps, transaction, caller.id))),
  }),
];
