import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { diskStorage } from './diskStorage.ts';
import { StorageUnavailable } from './storage.ts';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-pictures-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a folder for pictures', () => {
  it('keeps a picture until it is removed', async () => {
    const folder = await newFolder();
    const pictures = diskStorage(folder);
    await pictures.put('somebody/one.jpg', Buffer.from('1'), 'image/jpeg');
    await pictures.put('somebody/two.jpg', Buffer.from('2'), 'image/jpeg');
    await pictures.remove('somebody/one.jpg');
    await pictures.remove('somebody/one.jpg'); // what does not exist counts as removed
    expect(await readdir(join(folder, 'somebody'))).toEqual(['two.jpg']);
    await pictures.removeAllOf('somebody');
    expect(existsSync(join(folder, 'somebody'))).toBe(false);
  });

  it('that cannot be written is a store that is away', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'somebody'), 'no folder');
    const pictures = diskStorage(folder);
    await expect(pictures.put('somebody/one.jpg', Buffer.from('1'), 'image/jpeg')).rejects.toThrow(StorageUnavailable);
    await expect(pictures.remove('somebody/one.jpg')).rejects.toThrow(StorageUnavailable);
  });
});
