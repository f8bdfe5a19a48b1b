// Bundles the page: `npm run web` writes it to web/dist, for an image; a server in development bundles it when it starts.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Name of a file → its text. */
export async function buildPage(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { app: join(import.meta.dirname, 'src/main.tsx') },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    outdir: 'dist',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    conditions: ['strong-together'],
    legalComments: 'none',
  });
  return new Map(outputFiles.map(({ path, text }) => [path.split(/[\\/]/).at(-1) ?? '', text]));
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, 'dist');
  await mkdir(folder, { recursive: true });
  for (const [name, text] of await buildPage()) await writeFile(join(folder, name), text);
}
