// docs/clients.md: its TypeScript runs as it stands there, and the links of all pages lead somewhere.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { expect, it as plain } from 'vitest';
import { newPhone } from './helpers/person.ts';
import { withServer } from './helpers/server.ts';

const ROOT = join(import.meta.dirname, '..');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const it = withServer();

it('somebody who follows the page has a session', async ({ server }) => {
  const [, code = ''] = /### TypeScript\n\n```ts\n(.*?)```/s.exec(textOf('docs/clients.md')) ?? [];
  const module = `${stripTypeScriptTypes(code)}\nexport { proof, thumbprint };`;
  const { proof, thumbprint } = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as {
    proof(method: string, url: string, accessToken?: string): Promise<string>;
    thumbprint: string;
  };
  const { username, password } = await newPhone(server);
  const login = await server.fetch('/api/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dpop-key-binding': thumbprint },
    body: JSON.stringify({ identifier: username, password }),
  });
  const tokens = (await login.json()) as { accessToken: string; refreshToken: string };
  const read = async (accessToken: string) => {
    const path = '/api/workouts/gettracking?tz=UTC';
    const dpop = await proof('GET', server.url + path, accessToken);
    return (await server.fetch(path, { headers: { authorization: `DPoP ${accessToken}`, dpop } })).status;
  };
  expect(await read(tokens.accessToken)).toBe(200);
  const refreshed = await server.fetch('/api/auth/refresh', {
    method: 'POST',
    headers: {
      'x-refresh-token': `DPoP ${tokens.refreshToken}`,
      dpop: await proof('POST', `${server.url}/api/auth/refresh`),
    },
  });
  expect(await read(((await refreshed.json()) as { accessToken: string }).accessToken)).toBe(200);
});

/** The fragments that a page's headings and anchors make, as GitHub does. */
function fragmentsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...page.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id)]);
}

plain('every link between pages leads to a file, and to a heading in it', () => {
  const pages = globSync('{*.md,{bench,client,docs,examples}/**/*.md}', { cwd: ROOT });
  expect(pages.length).toBeGreaterThan(20);
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, file = '', fragment]) => {
        const target = file === '' ? page : join(dirname(page), file);
        if (!existsSync(resolve(ROOT, target))) return true;
        return fragment !== undefined && target.endsWith('.md') && !fragmentsOf(textOf(target)).has(fragment);
      })
      .map(([link]) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});
