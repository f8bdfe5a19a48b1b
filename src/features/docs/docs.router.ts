import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import { html } from '#platform/html.ts';
import { openApiDocument } from '#transport/openapi.ts';
import type { AnyRoute } from '#transport/route.ts';
import { readExamples } from './examples.ts';
import { PROBLEMS } from './problems.ts';

/** Folder → files of the page: Swagger UI, and what makes its "Try it out" act as a phone. */
const ASSETS = {
  [dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))]: [
    'swagger-ui.css',
    'swagger-ui-bundle.js',
  ],
  [join(import.meta.dirname, 'browser')]: ['start.js', 'tryItOut.js'],
};

const page = (appVersion: string) =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Strong Together API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api" data-app-version="${appVersion}"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script type="module" src="/docs/start.js"></script>
</body>
</html>
`.markup;

const problems = () =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Problems of the Strong Together API</title>
</head>
<body>
<h1>Problems</h1>
<p>What the codes in problem details (RFC 9457) mean.</p>
<dl>
${Object.entries(PROBLEMS).map(([code, text]) => html`<dt id="${code}"><code>${code}</code></dt><dd>${text}</dd>\n`)}
</dl>
</body>
</html>
`.markup;

/**
 * `/openapi.json`, made from the route declarations; `/docs`, a page to try them; `/docs/problems`, what `type` points to.
 * @param appVersion what the page sends as its version: the oldest that is served
 */
export function docsRouter(routes: AnyRoute[], appVersion: string): Router {
  let document: object | undefined; // made when it is first asked for: few processes ever are
  const router = Router();
  router.get('/openapi.json', (_req, res) => {
    document ??= openApiDocument(routes, readExamples());
    res.json(document);
  });
  router.get('/docs', (_req, res) => void res.type('html').send(page(appVersion)));
  router.get('/docs/problems', (_req, res) => void res.type('html').send(problems()));
  for (const [root, files] of Object.entries(ASSETS)) {
    for (const file of files) router.get(`/docs/${file}`, (_req, res) => res.sendFile(file, { root, maxAge: '1h' }));
  }
  return router;
}
