import type { Request, Response } from 'express';
import multer from 'multer';
import { ApiError, badRequest, tooLarge } from '#platform/apiError.ts';
import type { Received } from './body.ts';

/** Longest time that a file may take to arrive, in milliseconds: others wait for its turn. */
const LONGEST_ARRIVAL_MS = 60_000;

const tooSlow = () =>
  new ApiError(408, 'REQUEST_TIMEOUT', 'The file did not arrive within a minute. Try again with a faster connection.', {
    headers: { Connection: 'close' },
  });
const noFile = () => badRequest('VALIDATION_FAILED', 'No file provided');

/**
 * Reads a multipart body with one file, in memory, and other fields as text. The file's name and type, which the client
 * chose, are ignored.
 * @throws ApiError 400 `No file provided`, 408 after a minute where uploads are taken in turn, 413 `File too large`
 */
export async function readUpload(
  req: Request,
  res: Response,
  { field, maxBytes, inTurn = false }: { field: string; maxBytes: number; inTurn?: boolean },
): Promise<Received> {
  const parse = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: maxBytes, files: 1, fields: 20, fieldSize: 10_000 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = inTurn ? setTimeout(() => reject(tooSlow()), LONGEST_ARRIVAL_MS) : undefined;
  parse.single(field)(req, res, (error?: unknown) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof multer.MulterError && error.code === 'LIMIT_FILE_SIZE') throw tooLarge('File too large');
    throw noFile(); // a wrong field, several files, or a body that is not multipart
  } finally {
    clearTimeout(timer);
  }
  return { body: { ...req.body }, bytes: Buffer.alloc(0), file: req.file?.buffer };
}
