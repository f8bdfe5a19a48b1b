import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

it('`npm run web` prints what it made, small enough, and leaves nothing of an earlier build', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-web-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const dist = join(folder, 'web/dist');
  await cp(join(ROOT, 'web'), join(folder, 'web'), { recursive: true });
  await cp(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await mkdir(dist, { recursive: true });
  await writeFile(join(dist, 'app-OLD.js'), 'old');
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'web/build.ts')]);
  let compressed = 0;
  const names = await readdir(dist);
  for (const name of names) {
    const text = await readFile(join(dist, name));
    const { length } = gzipSync(text, { level: 9 });
    compressed += length;
    expect(stdout).toContain(`web/dist/${name}  ${text.length} bytes, ${length} compressed`);
  }
  expect(stdout).toContain(`The page is built: ${compressed} bytes compressed.`);
  expect(compressed).toBeLessThan(60_000);
  // Without their hashes, which decide how the names sort.
  expect(names.map((name) => name.replace(/-\w{8}\./, '.')).toSorted()).toEqual(['app.css', 'app.js', 'uPlot.esm.js']);
});
