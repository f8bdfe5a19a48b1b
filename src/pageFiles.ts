import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PageFiles, SCRIPT, STYLE } from '#features/page/page.router.ts';
import type { Log } from '#platform/log.ts';

const WEB = join(import.meta.dirname, '../web');

let files: Promise<PageFiles | undefined> | undefined;

/** The files of the page, read once. */
export const readPageFiles = (log: Log): Promise<PageFiles | undefined> => {
  files ??= readFiles(log);
  return files;
};

/** As they were built, or else bundled now, where what does that is installed. */
async function readFiles(log: Log): Promise<PageFiles | undefined> {
  const folder = join(WEB, 'dist');
  const built = existsSync(folder) ? await readdir(folder) : [];
  if ([SCRIPT, STYLE].every((kind) => built.some((name) => kind.test(name)))) {
    return new Map(
      await Promise.all(built.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
    );
  }
  try {
    const { buildPage } = await import('../web/build.ts');
    return await buildPage();
  } catch (error) {
    log.warn({ err: error }, 'there is no page: `npm run web` builds it');
    return undefined;
  }
}
