import express, { type Request, type Response } from 'express';
import { ApiError, tooLarge } from '#platform/apiError.ts';
import { parseWellFormed } from '#platform/wellFormed.ts';
import { isLogbook } from './face.ts';

export interface Received {
  /** The parsed JSON, or undefined: no body, or one of a type that is not parsed. */
  body: unknown;
  /** The bytes as they came, for the hash of an idempotent request. */
  bytes: Buffer;
  /** The uploaded file, on routes that take one. */
  file?: Buffer | undefined;
}

export const NOTHING_RECEIVED: Received = { body: undefined, bytes: Buffer.alloc(0) };

const readBytes = express.raw({ type: 'application/json', limit: '100kb' });
const readMoreBytes = express.raw({ type: 'application/json', limit: '1mb' });

/**
 * Reads a JSON body of at most 100 kB, of the logbook's routes 1 MB. There is never a 415: a body of another type or another charset than
 * UTF-8 (RFC 8259, section 8.1) counts as absent.
 * @throws ApiError 400 `MALFORMED_JSON`, 413 `PAYLOAD_TOO_LARGE`
 */
export async function readBody(req: Request, res: Response): Promise<Received> {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(req.get('content-type') ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) return NOTHING_RECEIVED;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = isLogbook(req.path) ? readMoreBytes : readBytes;
  read(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  try {
    await promise;
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === 413) throw tooLarge();
    if (status === 415) return NOTHING_RECEIVED; // a content encoding that is not known
    if (status !== undefined && status < 500) throw malformed();
    throw error;
  }
  const bytes: unknown = req.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return NOTHING_RECEIVED;
  return { body: parse(bytes.toString('utf8')), bytes };
}

const malformed = () => new ApiError(400, 'MALFORMED_JSON', 'Malformed JSON body');

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = parseWellFormed(text);
  } catch {
    throw malformed();
  }
  if (typeof value !== 'object' || value === null) throw malformed();
  return value;
}
