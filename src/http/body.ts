import express, { type Request, type Response } from 'express';
import { ApiError, tooLarge } from './errors.ts';

interface Received {
  /** The parsed JSON, or undefined: no body, or one of a type that is not parsed. */
  body: unknown;
  /** The bytes as they came, for the hash of an idempotent request. */
  bytes: Buffer;
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
  return { body: req.body, bytes: received.get(req) ?? Buffer.alloc(0) };
}
