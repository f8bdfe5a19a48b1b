import { StorageClient } from '@supabase/storage-js';
import { traced } from '#platform/tracing.ts';

/** The picture store could not be reached, or answered with an error. */
export class StorageUnavailable extends Error {
  constructor(cause: unknown) {
    super('the picture storage is not available', { cause });
  }
}

/** A store for pictures. Keys are made here, as `<user id>/<random>.<extension>`, never from text of a client. */
export interface PictureStorage {
  /** @throws StorageUnavailable */
  put(key: string, bytes: Buffer, contentType: string): Promise<void>;
  /** Undefined: there is no such picture. @throws StorageUnavailable */
  get(key: string): Promise<Buffer | undefined>;
  /** A picture that does not exist counts as removed. @throws StorageUnavailable */
  remove(key: string): Promise<void>;
  /** Removes everything of one user. @throws StorageUnavailable */
  removeAllOf(userId: string): Promise<void>;
}

export interface SupabaseOptions {
  url: string;
  serviceRole: string;
  bucket: string;
}

const TIMEOUT_MS = 10_000;
const PAGE = 100;
const MAX_PAGES = 100;

/** Supabase Storage through its own client; the bucket is publicly readable. */
export function supabaseStorage({ url, serviceRole, bucket }: SupabaseOptions): PictureStorage {
  const headers = { apikey: serviceRole, authorization: `Bearer ${serviceRole}` };
  const timed: typeof fetch = (input, init) =>
    traced('Supabase Storage', { kind: 'CLIENT' }, () =>
      fetch(input, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    );
  const pictures = new StorageClient(`${url}/storage/v1`, headers, timed).from(bucket);

  async function ask<T>(work: Promise<{ data: T; error: unknown }>): Promise<T> {
    const { data, error } = await work.catch((thrown: unknown) => ({ data: undefined as T, error: thrown }));
    if (error && !isNotFound(error)) throw new StorageUnavailable(error);
    return data;
  }

  return {
    async put(key, bytes, contentType) {
      const { error } = await pictures
        .upload(key, bytes, { contentType, cacheControl: '31536000' })
        .catch((thrown: unknown) => ({ error: thrown }));
      if (error) throw new StorageUnavailable(error);
    },
    async get(key) {
      const found = await ask(pictures.download(key));
      return found ? Buffer.from(await found.arrayBuffer()) : undefined;
    },
    async remove(key) {
      await ask(pictures.remove([key]));
    },
    async removeAllOf(userId) {
      for (let page = 0; page < MAX_PAGES; page++) {
        const found = (await ask(pictures.list(userId, { limit: PAGE }))) ?? [];
        if (found.length === 0) return;
        await ask(pictures.remove(found.map(({ name }) => `${userId}/${name}`)));
        if (found.length < PAGE) return;
      }
      throw new StorageUnavailable(new Error('pictures are listed again after their removal'));
    },
  };
}

function isNotFound(error: unknown): boolean {
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  return [status, statusCode].some((code) => Number(code) === 404);
}
