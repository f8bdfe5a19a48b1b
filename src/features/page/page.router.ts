import { gzipSync } from 'node:zlib';
import { Router } from 'express';
import { type Html, html } from '#platform/html.ts';
import { sql } from '#platform/postgres/query.ts';
import type { Deps } from '#transport/deps.ts';

/**
 * The scripts and styles of the page: name of a file, with the hash of its content → its text. The document loads `app-….js`
 * and `app-….css`; the script loads the others when it needs them.
 */
export type PageFiles = Map<string, string>;

const HAS_PEOPLE = sql<{ has_people: boolean }>('page.hasPeople')`
  select exists (select from users u where u.role <> 'System') as has_people`;

/** Names of the files that the document loads. */
export const SCRIPT = /^app-.+\.js$/;
export const STYLE = /^app-.+\.css$/;

/** Nothing from other hosts, nothing inline. */
const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/**
 * The page for a browser, `/app`: one document for every address below it, and its files, which never change under their names.
 * @param files undefined: there are none, and the page says so
 */
export function pageRouter(deps: Deps, files: PageFiles | undefined): Router {
  const router = Router();
  const withoutFiles = document({ notice: 'The page was not built: run npm run web, then start the server again.' });
  const assets = new Map([...(files ?? [])].map(([name, text]) => [name, asset(name, text)]));
  const pathOf = (kind: RegExp) => `/app/assets/${[...assets.keys()].find((name) => kind.test(name))}`;

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
    if (!files) return void res.status(503).send(withoutFiles);
    res.send(
      document({
        head: html`<link rel="stylesheet" href="${pathOf(STYLE)}">
<script type="module" src="${pathOf(SCRIPT)}"></script>`,
        address: deps.config.PUBLIC_BASE_URL,
        isEmpty: !(await hasPeople(deps)),
        hasMailbox: deps.mailbox !== undefined,
        notice:
          'Strong Together is loading. If this text stays, load the page again; if that does not help, update the browser or use another one.',
      }),
    );
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

const asset = (name: string, text: string) => ({
  type: name.endsWith('.css') ? 'css' : 'js',
  text,
  gzip: gzipSync(text, { level: 9 }),
});

interface Document {
  /** What loads style and script. */
  head?: Html;
  /** The public origin: the one that proofs of the page may name everywhere. */
  address?: string;
  /** Nobody has signed up yet: the page begins with that. */
  isEmpty?: boolean;
  /** Mails can be read at /dev/mailbox. */
  hasMailbox?: boolean;
  /** What a person reads until the script runs, or where it does not. */
  notice: string;
}

function document({ head, address = '', isEmpty = false, hasMailbox = false, notice }: Document): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Strong Together</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
${head ?? ''}
</head>
<body>
<div id="app" data-address="${address}" data-empty="${String(isEmpty)}" data-mailbox="${String(hasMailbox)}"><p>${notice}</p></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`.markup;
}
