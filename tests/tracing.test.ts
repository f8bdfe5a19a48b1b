// One trace from a request through outbox and job to the provider, in two processes, at a collector that speaks OTLP.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, vi } from 'vitest';
import { startResend } from './fakes/resend.ts';
import { startProcess } from './helpers/process.ts';
import { fixtures, startTestServer } from './helpers/server.ts';

interface ExportedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  service: string;
  attributes: Record<string, unknown>;
}

interface ExportRequest {
  resourceSpans: Array<{
    resource: { attributes: Attribute[] };
    scopeSpans: Array<{ spans: Array<Omit<ExportedSpan, 'attributes' | 'service'> & { attributes: Attribute[] }> }>;
  }>;
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number };
}

const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

/** A collector: OTLP over HTTP in JSON. */
async function startCollector() {
  const spans: ExportedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as ExportRequest;
    bodies.push(JSON.stringify(body));
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      const exported = scopeSpans.flatMap((scope) => scope.spans);
      spans.push(...exported.map((span) => ({ ...span, service, attributes: valuesOf(span.attributes) })));
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

const it = fixtures.extend('traced', { scope: 'file' }, async ({ untilEnd }) => {
  const collector = await untilEnd(startCollector());
  const resend = await untilEnd(startResend());
  const database = await startTestServer();
  await database.close();
  const env = {
    DATABASE_URL: database.databaseUrl,
    REDIS_URL: database.config.redisUrl ?? '',
    DATA_DIR: '.data/tracing-test',
    RESEND_API_KEY: 're_test',
    RESEND_BASE_URL: resend.url,
    ...Object.fromEntries(Object.entries(database.config.secrets)),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  const starting = async (role: 'api' | 'worker', more: Record<string, string>) => {
    const started = await startProcess(role, { ...env, ...more });
    return { ...started, close: () => started.kill('SIGTERM') };
  };
  const api = await untilEnd(starting('api', { OTEL_SERVICE_NAME: 'the-api' }));
  await untilEnd(starting('worker', {}));
  return { collector, resend, api, env };
});

const STRANGER = '0af7651916cd43dd8448eb211c80319c';

it('a request, its outbox message, its job and its provider are one trace', async ({ traced }) => {
  const { collector, resend, api } = traced;
  const response = await fetch(`${api.url}/api/users/create`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-app-version': '4.5.0',
      traceparent: `00-${STRANGER}-b7ad6b7169203331-01`,
    },
    body: JSON.stringify({ username: 'wanderer', email: 'wanderer@example.com', password: 'not to be told' }),
  });
  expect(response.status).toBe(201);
  const wanted = ['POST /api/users/create', 'outbox mail.verification', 'delivery mail.verification', 'Resend'];
  const chain = await vi.waitFor(
    () => {
      const found = wanted.map((name) => collector.spans.find((span) => span.name === name));
      if (found.includes(undefined)) throw new Error(`only ${collector.spans.map(({ name }) => name)}`);
      return found as ExportedSpan[];
    },
    { timeout: 10_000, interval: 20 },
  );
  const [request, outbox, delivery, provider] = chain as [ExportedSpan, ExportedSpan, ExportedSpan, ExportedSpan];
  expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(1);
  expect(request.traceId).not.toBe(STRANGER);
  expect(request.parentSpanId ?? '').toBe('');
  expect([outbox, delivery, provider].map((span) => span.parentSpanId)).toEqual([
    request.spanId,
    outbox.spanId,
    delivery.spanId,
  ]);
  expect(chain.map(({ service }) => service)).toEqual(['the-api', 'the-api', 'strong-together', 'strong-together']);
  expect(request.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/api/users/create',
    'http.response.status_code': 201,
    'strong_together.request_id': response.headers.get('x-request-id'),
  });
  // The statements are in it by their names.
  expect(collector.spans.filter(({ traceId }) => traceId === request.traceId).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['outbox.add', 'auth.findUnverified']),
  );
  expect(resend.sent.size).toBe(1);
  expect(collector.bodies.join('\n')).not.toMatch(/wanderer|not to be told/);
});

it('a collector that says nothing holds up neither requests nor the end', async ({ untilEnd, traced }) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  await untilEnd(Promise.resolve({ close: async () => void silent.closeAllConnections() }));
  const { port } = silent.address() as { port: number };
  const started = await startProcess('api', {
    ...traced.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    SHUTDOWN_DRAIN_MS: '0',
  });
  expect((await fetch(`${started.url}/health`)).status).toBe(200);
  expect(await started.kill('SIGTERM')).toBe(0); // 1: it had to be cut off
});

it('a failure is marked, without the text of its error', async ({ traced }) => {
  const { collector, resend, api } = traced;
  resend.failures = [422];
  await fetch(`${api.url}/api/users/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-app-version': '4.5.0' },
    body: JSON.stringify({ username: 'refused', email: 'refused@example.com', password: 'not to be told' }),
  });
  await vi.waitFor(() => {
    const failed = collector.spans.filter((span) => span.attributes['error.type'] === 'PermanentError');
    expect(failed.map(({ name }) => name)).toEqual(['Resend', 'delivery mail.verification']);
  }, 10_000);
  expect(collector.bodies.join('\n')).not.toContain('refused@');
});
