import { Router } from 'express';
import { absolutePath } from 'swagger-ui-dist';
import { html } from '#platform/html.ts';
import { openApiDocument } from '#transport/openapi.ts';
import type { AnyRoute } from '#transport/route.ts';

const PAGE = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Strong Together API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`.markup;

const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true });\n";

/** `/openapi.json`, made from the route declarations, and `/docs`, a page to try them. */
export function docsRouter(routes: AnyRoute[], serverUrl: string): Router {
  const document = openApiDocument(routes, serverUrl);
  const router = Router();
  router.get('/openapi.json', (_req, res) => void res.json(document));
  router.get('/docs', (_req, res) => void res.type('html').send(PAGE));
  router.get('/docs/start.js', (_req, res) => void res.type('js').send(START));
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    router.get(`/docs/${file}`, (_req, res) => res.sendFile(file, { root: absolutePath(), maxAge: '1h' }));
  }
  return router;
}
