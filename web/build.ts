// Bundles the page: `npm run web` writes it to web/dist, for an image; a server in development bundles it when it starts.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Name of a file → its text. Names have the hash of the content; those of the first screen begin with `app-`. */
export async function buildPage(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { app: join(import.meta.dirname, 'src/main.tsx') },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    splitting: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
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
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let compressed = 0;
  for (const [name, text] of await buildPage()) {
    await writeFile(join(folder, name), text);
    const bytes = gzipSync(text, { level: 9 }).length;
    compressed += bytes;
    console.log(`web/dist/${name}  ${Buffer.byteLength(text)} bytes, ${bytes} compressed`);
  }
  console.log(`The page is built: ${compressed} bytes compressed.`);
}
