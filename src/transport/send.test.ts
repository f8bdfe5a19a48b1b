import { createHash } from 'node:crypto';
import { createServer, get, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyRoute } from './route.ts';
import { compressed, HASH_LENGTH, send, sendWithEtag, uncompressed } from './send.ts';

const TEXT = JSON.stringify({ name: 'Ünsal', list: Array.from({ length: 50 }, () => 'again') });
const LARGE = JSON.stringify(Array.from({ length: 2_000 }, (_, n) => `ü ${n % 9}`));
const HASH = createHash('sha256').update(TEXT).digest('base64url').slice(0, 27);

let server: Server;
let port: number;

beforeAll(async () => {
  const app = express().disable('etag');
  app.get('/', async (req, res) => sendWithEtag(req, res, await compressed(Buffer.from(TEXT))));
  const [json, html] = [{}, { produces: 'text/html' }] as unknown as [AnyRoute, AnyRoute];
  app.get('/json', (req, res) => send(json, req, res, { status: 201, body: Buffer.from(TEXT) }));
  app.get('/html', (req, res) =>
    send(html, req, res.set('Cache-Control', 'max-age=60'), { status: 200, body: Buffer.from('<p>ü') }),
  );
  app.get('/large', (req, res) => send(json, req, res, { status: 200, body: Buffer.from(LARGE) }));
  app.get('/none', (req, res) => send(json, req, res, { status: 204, body: undefined }));
  server = createServer(app);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.close();
});

/** As sent, without what a client such as fetch adds or undoes. */
function ask(headers: Record<string, string>, path = '/') {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, async (res) => {
      const body = Buffer.concat(await res.toArray());
      resolve({ status: res.statusCode, headers: res.headers, body });
    }).on('error', reject);
  });
}

it('a compressed body is its text and 27 characters of its hash', async () => {
  const body = await compressed(Buffer.from(TEXT));
  expect(body.hash).toBe(HASH);
  expect(HASH).toHaveLength(HASH_LENGTH);
  expect(gunzipSync(body.gzip).toString()).toBe(TEXT);
  expect(String(await uncompressed(body))).toBe(TEXT);
});

describe('a body that the client may have already', () => {
  it.each([
    [{}, false],
    [{ 'accept-encoding': '' }, false],
    [{ 'accept-encoding': 'gzip' }, true],
    [{ 'accept-encoding': 'br, gzip' }, true],
    [{ 'accept-encoding': 'gzip;q=0' }, false],
    [{ 'accept-encoding': 'identity' }, false],
    [{ 'accept-encoding': 'identity, gzip;q=0.5' }, false],
    [{ 'accept-encoding': '*' }, true],
  ])('leaves for a client with %j compressed: %j', async (headers: Record<string, string>, compressed) => {
    const answer = await ask(headers);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'cache-control': 'private, no-cache',
      'content-type': 'application/json; charset=utf-8',
      etag: compressed ? `"${HASH}-gzip"` : `"${HASH}"`,
      vary: 'Accept-Encoding',
    });
    expect(answer.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    expect((compressed ? gunzipSync(answer.body) : answer.body).toString()).toBe(TEXT);
  });

  it.each([
    [`"${HASH}"`, 304],
    [`W/"${HASH}"`, 304],
    [`"other" ,  W/"${HASH}"`, 304],
    ['*', 304],
    ['"other", *', 304],
    [HASH, 200],
    [`"${HASH}-gzip"`, 200],
    [`w/"${HASH}"`, 200],
    [`"W/${HASH}"`, 200],
    [`x"${HASH}"`, 200],
    ['', 200],
  ])('If-None-Match: %s is answered with %i', async (header, status) => {
    for (const extra of [{}, { 'cache-control': 'no-cache' }]) {
      const answer = await ask({ 'if-none-match': header, ...extra });
      expect(answer.status).toBe(status);
      expect(answer.headers.etag).toBe(`"${HASH}"`);
      expect(answer.headers['cache-control']).toBe('private, no-cache');
      expect(answer.body.toString()).toBe(status === 304 ? '' : TEXT);
    }
  });

  it('the compressed form is named by an ETag of its own', async () => {
    const gzip = { 'accept-encoding': 'gzip' };
    expect((await ask({ ...gzip, 'if-none-match': `"${HASH}-gzip"` })).status).toBe(304);
    expect((await ask({ ...gzip, 'if-none-match': `"${HASH}"` })).status).toBe(200);
  });
});

describe('an answer that is sent as it is', () => {
  it('is JSON that nobody stores, unless it says otherwise; no condition makes it a 304', async () => {
    for (const headers of [{}, { 'if-none-match': '*' }] as Array<Record<string, string>>) {
      const answer = await ask(headers, '/json');
      expect(answer.status).toBe(201);
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(TEXT)),
      });
      expect(answer.headers).not.toHaveProperty('etag');
      expect(answer.body.toString()).toBe(TEXT);
      const page = await ask(headers, '/html');
      expect(page.status).toBe(200);
      expect(page.headers).toMatchObject({
        'cache-control': 'max-age=60',
        'content-type': 'text/html; charset=utf-8',
        'content-length': '5',
      });
      expect(page.body.toString()).toBe('<p>ü');
    }
  });

  it('goes compressed when it is large and the client takes that', async () => {
    const [zipped, plain] = [await ask({ 'accept-encoding': 'gzip' }, '/large'), await ask({}, '/large')];
    expect([zipped, plain].map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', undefined]);
    expect([zipped, plain].map(({ headers }) => headers.vary)).toEqual(['Accept-Encoding', 'Accept-Encoding']);
    expect(zipped.headers['content-length']).toBe(String(zipped.body.length));
    expect(zipped.body.length).toBeLessThan(plain.body.length);
    expect([gunzipSync(zipped.body).toString(), plain.body.toString()]).toEqual([LARGE, LARGE]);
    expect((await ask({ 'accept-encoding': 'gzip' }, '/json')).headers).not.toHaveProperty('content-encoding');
  });

  it('may have no body', async () => {
    const answer = await ask({}, '/none');
    expect([answer.status, answer.body.length, answer.headers['content-type']]).toEqual([204, 0, undefined]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});
