import type { Request, Response } from 'express';
import multer from 'multer';
import { badRequest, tooLarge } from '#platform/apiError.ts';
import type { Received } from './body.ts';

const noFile = () => badRequest('VALIDATION_FAILED', 'No file provided');

/**
 * Reads a multipart body with one file, in memory, and other fields as text. The file's name and type, which the client
 * chose, are ignored.
 * @throws ApiError 400 `No file provided`, 413 `File too large`
 */
export async function readUpload(
  req: Request,
  res: Response,
  { field, maxBytes }: { field: string; maxBytes: number },
): Promise<Received> {
  const parse = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: maxBytes, files: 1, fields: 20, fieldSize: 10_000 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  parse.single(field)(req, res, (error?: unknown) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } catch (error) {
    if (error instanceof multer.MulterError && error.code === 'LIMIT_FILE_SIZE') throw tooLarge('File too large');
    throw noFile(); // a wrong field, several files, or a body that is no multipart at all
  }
  return { body: { ...req.body }, bytes: Buffer.alloc(0), file: req.file?.buffer };
}
