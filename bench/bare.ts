// What a request costs before any of ours: the health check's headers, and a verified proof, without anything else.
import { randomUUID } from 'node:crypto';
import express from 'express';
import { buildProofVerifier } from '#identity/dpop.ts';
import { crossOrigin } from '#transport/middleware/cors.ts';
import { securityHeaders } from '#transport/middleware/securityHeaders.ts';

const port = Number(process.env.PORT);
const verifyProof = buildProofVerifier();
const app = express();
app.disable('etag');
app.disable('x-powered-by');
app.use((_req, res, next) => {
  res.set('X-Request-Id', randomUUID());
  next();
});
app.use(securityHeaders(), crossOrigin(undefined));
app.get('/health/ready', (_req, res) => void res.json({ status: 'ready' }));
app.get('/bare', (_req, res) => void res.set('Cache-Control', 'no-store').json({ status: 'ok' }));
app.get('/proof', (req, res) => {
  verifyProof(req.get('dpop'), { method: 'GET', path: '/proof', origins: [`http://127.0.0.1:${port}`] });
  res.set('Cache-Control', 'no-store').json({ status: 'ok' });
});
app.listen(port, '127.0.0.1');
