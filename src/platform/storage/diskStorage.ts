import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { PictureStorage } from './storage.ts';

/** Where pictures lie on a machine without a picture store. */
export const pictureFolder = (dataDir: string, bucket: string): string => resolve(dataDir, 'pictures', bucket);

/** The embedded default: pictures are files below a folder, laid out as Supabase's public URLs have them. */
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
