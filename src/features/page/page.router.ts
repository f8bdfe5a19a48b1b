import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Router } from 'express';
import { html } from '#platform/html.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Deps } from '#transport/deps.ts';

/** The scripts and styles of the page: name of a file → its text. One is `app.js`, one `app.css`. */
export type PageFiles = Map<string, string>;

const HAS_PEOPLE = sql<{ has_people: boolean }>('page.hasPeople')`
  select exists (select from users u where u.role <> 'System') as has_people`;

/** Nothing from other hosts, nothing inline. */
const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/**
 * The page for a browser, `/app`: one document for every address below it, and its files, which have the hash of their content
 * in their names.
 * @param files undefined: there are none, and the page says so
 */
export function pageRouter(deps: Deps, files: PageFiles | undefined): Router {
  const router = Router();
  const assets = new Map([...(files ?? [])].map(([name, text]) => [nameOf(name, text), asset(name, text)]));
  const pathOf = (name: string) => `/app/assets/${nameOf(name, files?.get(name) ?? '')}`;

  router.get('/app/assets/:name', (req, res, next) => {
    const found = assets.get(req.params.name);
    if (!found) return next();
    res.set({ 'Cache-Control': 'public, max-age=31536000, immutable', Vary: 'Accept-Encoding' }).type(found.type);
    if (req.acceptsEncodings('gzip')) res.set('Content-Encoding', 'gzip').send(found.gzip);
    else res.send(found.text);
  });
  router.get(['/app', '/app/{*path}'], async (_req, res) => {
    res.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache', 'Referrer-Policy': 'no-referrer' });
    res.type('html');
    if (!files) return void res.status(503).send(document('', '', 'The page was not built: npm run web'));
    const isEmpty = !(await hasPeople(deps));
    res.send(document(pathOf('app.js'), pathOf('app.css'), '', isEmpty, deps.mailbox !== undefined));
  });
  return router;
}

/** A database that is away is not empty. */
async function hasPeople({ db, log }: Deps): Promise<boolean> {
  try {
    return (await db.asService((tx) => tx.one(HAS_PEOPLE))).has_people;
  } catch (error) {
    log.warn({ err: error }, 'whether anybody has signed up could not be asked');
    return true;
  }
}

function nameOf(name: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  return name.replace('.', `-${hash}.`);
}

const asset = (name: string, text: string) => ({
  type: name.endsWith('.css') ? 'css' : 'js',
  text,
  gzip: gzipSync(text, { level: 9 }),
});

/** @param isEmpty nobody has signed up yet: the page begins with that; @param hasMailbox mails can be read at /dev/mailbox */
function document(script: string, style: string, notice: string, isEmpty = false, hasMailbox = false): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Strong Together</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app" data-empty="${String(isEmpty)}" data-mailbox="${String(hasMailbox)}">${notice}</div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`.markup;
}
