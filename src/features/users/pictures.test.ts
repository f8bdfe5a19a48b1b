import sharp from 'sharp';
import { describe, expect, vi } from 'vitest';
import { startSupabase } from '#tests/fakes/supabase.ts';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { makeProof } from '#tests/helpers/proof.ts';
import { fixtures, startTestServer, type TestServer } from '#tests/helpers/server.ts';
import { startTcpProxy } from '#tests/helpers/tcpProxy.ts';

const it = fixtures
  .extend('supabase', { scope: 'file' }, ({ untilEnd }) => untilEnd(startSupabase()))
  .extend('server', { scope: 'file' }, ({ untilEnd, supabase }) =>
    untilEnd(startTestServer({ env: { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE: 'service-role' } })),
  )
  .extend('jpeg', { scope: 'file' }, () =>
    sharp({ create: { width: 60, height: 30, channels: 3, background: 'red' } })
      .withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '31/1 46/1 0/1' }, IFD0: { Copyright: 'secret place' } })
      .jpeg()
      .toBuffer(),
  )
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken);

it.beforeEach(({ supabase }) => {
  supabase.isDown = false;
  supabase.delay = 0;
  supabase.requests.length = 0;
});

const call = (server: TestServer, phone: Phone, token: string, method: string, path: string, init: RequestInit = {}) =>
  server.fetch(path, {
    ...init,
    method,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken: token }),
      ...init.headers,
    },
  });
const upload = (
  server: TestServer,
  phone: Phone,
  token: string,
  bytes: Buffer,
  { name = 'x.jpg', type = 'image/jpeg', field = 'file' } = {},
) => {
  const body = new FormData();
  body.append(field, new Blob([new Uint8Array(bytes)], { type }), name);
  return call(server, phone, token, 'PUT', '/api/users/setprofilepic', { body });
};
const remove = (server: TestServer, phone: Phone, token: string, body?: unknown) =>
  call(server, phone, token, 'DELETE', '/api/users/deleteprofilepic', {
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const problem = async (response: Response) => {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return [response.status, code, message];
};
const stored = async (response: Response) => {
  expect(response.status).toBe(201);
  return ((await response.json()) as { path: string }).path;
};
const recorded = async (server: TestServer, phone: Phone) =>
  (await server.sql('select profile_image_url as path from users where id = $1', [phone.id]))[0]?.path;

describe('an upload', () => {
  it('is stored under a random key of the caller, and the one before goes (behaviour 17)', async ({
    server,
    supabase,
    phone,
    token,
    jpeg,
  }) => {
    const response = await upload(server, phone, token, jpeg);
    const body = (await response.json()) as { path: string };
    expect([response.status, body]).toEqual([
      201,
      {
        path: expect.stringMatching(new RegExp(`^profile_pics/${phone.id}/[0-9a-f-]{36}\\.jpg$`)),
        url: `${supabase.url}/storage/v1/object/public/${body.path}`,
        message: 'Upload success',
      },
    ]);
    expect(await recorded(server, phone)).toBe(body.path);
    const second = await stored(await upload(server, phone, token, jpeg));
    expect([supabase.objects.has(body.path), supabase.objects.has(second)]).toEqual([false, true]);
  });

  it('keeps no metadata: neither place nor owner (IS6)', async ({ server, supabase, phone, token, jpeg }) => {
    expect(jpeg.includes('secret place')).toBe(true);
    const object = supabase.objects.get(await stored(await upload(server, phone, token, jpeg)));
    expect(object?.bytes.includes('secret place')).toBe(false);
    expect((await sharp(object?.bytes).metadata()).exif).toBe(undefined);
  });

  it('is judged by its bytes, never by its name or type (IS6)', async ({ server, supabase, phone, token, jpeg }) => {
    const png = await sharp(jpeg).png().toBuffer();
    const path = await stored(await upload(server, phone, token, png, { name: '../../evil.html', type: 'text/html' }));
    expect(path).toMatch(/\.png$/);
    expect(supabase.objects.get(path)?.contentType).toBe('image/png');
    expect(await stored(await upload(server, phone, token, await sharp(jpeg).webp().toBuffer()))).toMatch(/\.webp$/);
  });

  it('is made smaller than 1024 pixels a side', async ({ server, supabase, phone, token }) => {
    const large = await sharp({ create: { width: 3000, height: 1500, channels: 3, background: 'blue' } })
      .jpeg()
      .toBuffer();
    const { width, height } = await sharp(
      supabase.objects.get(await stored(await upload(server, phone, token, large)))?.bytes,
    ).metadata();
    expect([width, height]).toEqual([1024, 512]);
  });

  it.for<[string, (jpeg: Buffer) => Buffer]>([
    ['HTML', () => Buffer.from('<html><script>alert(1)</script>')],
    ['a GIF', () => Buffer.from('GIF89a......')],
    ['a broken JPEG', (jpeg) => Buffer.concat([jpeg.subarray(0, 20), Buffer.from('rubbish')])],
    ['an SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('of %s is refused, and nothing is stored', async ([_, bytes], { server, supabase, phone, token, jpeg }) => {
    expect(await problem(await upload(server, phone, token, bytes(jpeg)))).toEqual([
      400,
      'UNSUPPORTED_FILE_TYPE',
      'Unsupported file type',
    ]);
    expect(supabase.requests).toEqual([]);
  });

  it('too large is a 413; no file, a wrong field or no form is a 400 (IN5)', async ({ server, phone, token, jpeg }) => {
    expect(await problem(await upload(server, phone, token, Buffer.alloc(10 * 1024 * 1024 + 1)))).toEqual([
      413,
      'PAYLOAD_TOO_LARGE',
      'File too large',
    ]);
    const missing = [400, 'VALIDATION_FAILED', 'No file provided'];
    expect(await problem(await upload(server, phone, token, jpeg, { field: 'picture' }))).toEqual(missing);
    expect(await problem(await call(server, phone, token, 'PUT', '/api/users/setprofilepic'))).toEqual(missing);
    const json = { headers: { 'content-type': 'application/json' }, body: '{}' };
    expect(await problem(await call(server, phone, token, 'PUT', '/api/users/setprofilepic', json))).toEqual(missing);
  });

  it('with the storage down is a 503, and nothing changes', async ({ server, supabase, phone, token, jpeg }) => {
    const before = await stored(await upload(server, phone, token, jpeg));
    supabase.isDown = true;
    expect(await problem(await upload(server, phone, token, jpeg))).toEqual([
      503,
      'STORAGE_UNAVAILABLE',
      'Picture storage is temporarily unavailable',
    ]);
    expect(await recorded(server, phone)).toBe(before);
  });

  it('holds no connection while it is transferred (OP5)', async ({ server, supabase, phone, token, jpeg }) => {
    supabase.delay = 2_000;
    const uploads = Array.from({ length: 15 }, () => upload(server, phone, token, jpeg));
    await new Promise((done) => setTimeout(done, 500));
    const other = await newPhone(server);
    const otherToken = (await other.tokens()).accessToken;
    const read = await call(server, other, otherToken, 'GET', '/api/users/get');
    expect(read.status).toBe(200);
    expect(supabase.objects.size).toBeGreaterThanOrEqual(0);
    for (const response of await Promise.all(uploads)) expect(response.status).toBe(201);
  });
});

describe('a removal', () => {
  it('removes the recorded object, with or without a body', async ({ server, supabase, phone, token, jpeg }) => {
    for (const body of [undefined, {}, { path: null }, 'own'] as const) {
      const path = await stored(await upload(server, phone, token, jpeg));
      const response = await remove(server, phone, token, body === 'own' ? { path } : body);
      expect([response.status, await response.text()]).toEqual([200, '']);
      expect([await recorded(server, phone), supabase.objects.has(path)]).toEqual([null, false]);
    }
    expect((await remove(server, phone, token)).status).toBe(200);
  });

  it("never reaches anything but the caller's own object (IS1)", async ({ server, supabase, phone, token, jpeg }) => {
    const victim = await stored(await upload(server, phone, token, jpeg));
    const victimPath = victim;
    phone = await newPhone(server);
    token = (await phone.tokens()).accessToken;
    const own = await stored(await upload(server, phone, token, jpeg));
    supabase.requests.length = 0;
    const prefix = `profile_pics/${phone.id}/`;
    for (const path of [
      victimPath,
      '../../../rest/v1/users?id=not.is.null',
      `${prefix}../${victimPath.split('/').slice(1).join('/')}`,
      `${prefix}%2e%2e/x.jpg`,
      `${prefix}a\\b`,
      `${prefix}a?b`,
      `${prefix}a#b`,
      '',
    ]) {
      expect(await problem(await remove(server, phone, token, { path }))).toEqual([403, 'FORBIDDEN', 'Forbidden']);
    }
    expect(supabase.requests).toEqual([]);
    expect(supabase.objects.has(victimPath)).toBe(true);
    expect((await remove(server, phone, token, { path: `${prefix}another.jpg` })).status).toBe(200);
    expect(supabase.requests).toEqual(['DELETE /storage/v1/object/profile_pics']);
    expect([supabase.objects.has(own), supabase.objects.has(victimPath)]).toEqual([false, true]);
  });

  it('with the storage down keeps the column', async ({ server, supabase, phone, token, jpeg }) => {
    const path = await stored(await upload(server, phone, token, jpeg));
    supabase.isDown = true;
    expect((await problem(await remove(server, phone, token)))[1]).toBe('STORAGE_UNAVAILABLE');
    expect(await recorded(server, phone)).toBe(path);
  });
});

describe('a deleted account', () => {
  it('takes its pictures with it, also when the storage was away (ID20)', async ({
    server,
    supabase,
    phone,
    token,
    jpeg,
  }) => {
    const path = await stored(await upload(server, phone, token, jpeg));
    supabase.isDown = true;
    expect((await call(server, phone, token, 'DELETE', '/api/users/deleteself')).status).toBe(200);
    supabase.isDown = false;
    const isRemoved = async () => {
      await server.sql(
        "update outbox set next_attempt_at = now(), attempts = 7 where status = 'pending' and last_error is not null",
      );
      return !supabase.objects.has(path);
    };
    await vi.waitUntil(isRemoved, { timeout: 15_000 });
  });
});

it('an account that is deleted during its upload leaves nothing', async ({ server, supabase, phone, token, jpeg }) => {
  supabase.delay = 600;
  const running = upload(server, phone, token, jpeg);
  await new Promise((done) => setTimeout(done, 300));
  expect((await call(server, phone, token, 'DELETE', '/api/users/deleteself')).status).toBe(200);
  expect((await problem(await running))[1]).toBe('LOGIN_REQUIRED');
  expect([...supabase.objects.keys()].filter((key) => key.includes(phone.id))).toEqual([]);
});

describe('without a picture store', () => {
  it('pictures lie on disk under the same address', async ({ jpeg }) => {
    const own = await startTestServer();
    try {
      const phone = await newPhone(own);
      const token = (await phone.tokens()).accessToken;
      const response = await upload(own, phone, token, jpeg);
      const { url } = (await response.json()) as { url: string };
      expect(url.startsWith(`${own.url}/storage/v1/object/public/profile_pics/${phone.id}/`)).toBe(true);
      const picture = await fetch(url);
      expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
      expect((await fetch(`${own.url}/storage/v1/object/public/..%2f..%2fsecrets.json`)).status).toBe(404);
    } finally {
      await own.close();
    }
  });
});

it('a picture whose commit was answered into nothing is not removed while it is shown', async ({
  server,
  supabase,
  phone,
  token,
  jpeg,
}) => {
  const proxy = await startTcpProxy(Number(new URL(server.databaseUrl).port));
  const url = new URL(server.databaseUrl);
  url.port = String(proxy.port);
  const second = await startTestServer({
    sharing: { ...server, databaseUrl: url.href },
    env: { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE: 'service-role' },
  });
  try {
    await server.sql(`
      create function slow_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;
      create constraint trigger slow_commit after update of profile_image_url on users
        deferrable initially deferred for each row execute function slow_commit()`);
    const uploading = upload(second, phone, token, jpeg);
    const committing =
      "select 1 from pg_stat_activity where datname = current_database() and state = 'active' and query ilike 'commit%'";
    await vi.waitFor(async () => expect(await server.sql(committing)).toHaveLength(1), { timeout: 10_000 });
    proxy.cut();
    proxy.restore();
    expect((await uploading).status).toBe(503);
    const path = async () =>
      (
        await server.sql<{ path: string | null }>('select profile_image_url as path from users where id = $1', [
          phone.id,
        ])
      )[0]?.path;
    await vi.waitFor(async () => expect(await path()).not.toBeNull(), { timeout: 10_000 });
    expect([...supabase.objects.keys()]).toContain(await path());
  } finally {
    await server.sql('drop trigger slow_commit on users; drop function slow_commit()');
    await second.close();
    await proxy.close();
  }
});
