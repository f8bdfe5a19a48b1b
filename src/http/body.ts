import express, { type Request, type Response } from 'express';
import { ApiError, tooLarge } from './errors.ts';

export interface Received {
  /** The parsed JSON, or undefined: no body, or one of a type that is not parsed. */
  body: unknown;
  /** The bytes as they came, for the hash of an idempotent request. */
  bytes: Buffer;
  /** The uploaded file, on routes that take one. */
  file?: Buffer | undefined;
}

const received = new WeakMap<Request, Buffer>();
const parseJson = express.json({
  limit: '100kb',
  verify: (req, _res, bytes) => void received.set(req as Request, bytes),
});

/**
 * Reads a JSON body of at most 100 kB. There is never a 415: a body of another type counts as absent.
 * @throws ApiError 400 `MALFORMED_JSON`, 413 `PAYLOAD_TOO_LARGE`
 */
export async function readBody(req: Request, res: Response): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  parseJson(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  try {
    await promise;
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === 413) throw tooLarge();
    if (status === 415) return { body: undefined, bytes: Buffer.alloc(0) };
    if (status !== undefined && status < 500) throw new ApiError(400, 'MALFORMED_JSON', 'Malformed JSON body');
    throw error;
  }
  const bytes = received.get(req) ?? Buffer.alloc(0);
  // Half of an emoji, cut off at a length limit, can only come as an escape.
  const body = /\\ud[89a-f]/i.test(bytes.toString('latin1')) ? wellFormed(req.body) : req.body;
  return { body, bytes };
}

/** The same value with half characters replaced by U+FFFD, as every other way into the database does. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), wellFormed(inner)]));
}
