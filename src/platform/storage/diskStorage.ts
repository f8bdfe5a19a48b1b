import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type PictureStorage, StorageUnavailable } from './storage.ts';

/** The folder for pictures on a machine without a picture store. */
export const pictureFolder = (dataDir: string, bucket: string): string => resolve(dataDir, 'pictures', bucket);

/** The default in development: pictures are files in a folder, under the paths of Supabase's public URLs. */
export function diskStorage(folder: string): PictureStorage {
  return {
    async put(key, bytes) {
      const file = join(folder, key);
      await onDisk(mkdir(dirname(file), { recursive: true }));
      try {
        await onDisk(writeFile(file, bytes));
      } catch (error) {
        await rm(file, { force: true }).catch(() => undefined); // on a full disk a part of it was written
        throw error;
      }
    },
    get: async (key) => {
      const file = join(folder, key);
      return existsSync(file) ? onDisk(readFile(file)) : undefined;
    },
    remove: (key) => onDisk(rm(join(folder, key), { force: true })),
    removeAllOf: (userId) => onDisk(rm(join(folder, userId), { recursive: true, force: true })),
  };
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new StorageUnavailable(error);
  }
}
