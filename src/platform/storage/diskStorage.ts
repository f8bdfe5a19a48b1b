import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { PictureStorage } from './storage.ts';

/** The folder for pictures on a machine without a picture store. */
export const pictureFolder = (dataDir: string, bucket: string): string => resolve(dataDir, 'pictures', bucket);

/** The default in development: pictures are files in a folder, under the paths of Supabase's public URLs. */
export function diskStorage(folder: string): PictureStorage {
  return {
    async put(key, bytes) {
      const file = join(folder, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    },
    remove: (key) => rm(join(folder, key), { force: true }),
    removeAllOf: (userId) => rm(join(folder, userId), { recursive: true, force: true }),
  };
}
