import { mkdir, rm, writeFile } from 'node:fs/promises';
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
    remove: (key) => onDisk(rm(join(folder, key), { force: true })),
    removeAllOf: (userId) => onDisk(rm(join(folder, userId), { recursive: true, force: true })),
  };
}

async function onDisk(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new StorageUnavailable(error);
  }
}
