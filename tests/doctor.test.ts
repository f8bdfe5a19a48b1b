// `npm run doctor`: what is wrong is said in sentences, and nothing is changed.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '#platform/postgres/embedded.ts';
import { INHERITED } from './helpers/process.ts';
import { type TestServer, withServer } from './helpers/server.ts';
import { startRedis } from './setup/redis.ts';

const it = withServer();

/** Answers every request with this status, in place of those who are outside. */
async function somebody(status: number, headers = {}, body = '{}'): Promise<string> {
  const server = createServer((_req, res) => void res.writeHead(status, headers).end(body));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const healthy = async (server: TestServer) => {
  const outside = await somebody(200);
  return {
    NODE_ENV: 'test',
    PUBLIC_BASE_URL: server.url,
    DATA_DIR: server.config.DATA_DIR,
    DATABASE_URL: server.databaseUrl,
    REDIS_URL: server.config.redisUrl ?? '',
    RESEND_API_KEY: 're_secret',
    RESEND_BASE_URL: outside,
    EXPO_BASE_URL: outside,
    GOOGLE_JWKS_URL: outside,
    APPLE_JWKS_URL: outside,
    GOOGLE_ALLOWED_AUDS: 'app',
    APPLE_ALLOWED_AUDS: 'app',
    EXPO_ACCESS_TOKEN: 'expo',
  };
};

async function doctor(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/doctor.ts')], {
    env: { ...INHERITED, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, output };
}

it('finds nothing where nothing is wrong', async ({ server }) => {
  const { code, output } = await doctor(await healthy(server));
  expect(output).toContain('ok   Schema: migrations, row-level security, triggers and indexes are in place.');
  expect(output).toContain(`ok   Address: people open the page at ${server.url}/app.`);
  expect(output).not.toMatch(/BAD|note Mig/);
  expect([code, output.trim().split('\n').at(-1)]).toEqual([0, 'Nothing is wrong.']);
});

it('names each thing that is wrong, without secrets, and changes nothing', async ({ server }) => {
  const dropping = await startRedis(undefined, ['--maxmemory', '20mb', '--maxmemory-policy', 'allkeys-lru']);
  onTestFinished(() => dropping.stop());
  await server.sql('alter table aerobictracking no force row level security');
  await server.sql('alter table messages disable trigger all');
  const { code, output } = await doctor({
    ...(await healthy(server)),
    REDIS_URL: dropping.url,
    RESEND_API_KEY: '',
    SMTP_URL: 'smtp://somebody:very-secret@127.0.0.1:9',
    GOOGLE_JWKS_URL: await somebody(404),
    EXPO_BASE_URL: `http://127.0.0.1:${await freePort()}`,
  });
  expect(code).toBe(1);
  for (const line of [
    'BAD  Schema: table aerobictracking is without row-level security.',
    'note Redis: maxmemory-policy is allkeys-lru, so jobs may be dropped. Set noeviction, or REDIS_CACHE_URL.',
    'BAD  Push: Expo cannot be reached (ECONNREFUSED).',
    'BAD  Sign-in with Google: its keys answered 404.',
    'BAD  Mail: the SMTP server was not reached, or refuses our login',
  ]) {
    expect(output).toContain(line);
  }
  expect(output).toMatch(/BAD {2}Schema: trigger \w+ of messages is switched off\./);
  expect(output).not.toContain('very-secret');
});

it('says which migrations are due, and what is wrong with the settings', async ({ server }) => {
  await server.sql("delete from schema_migrations where name = '0003_versions.sql'");
  const { output } = await doctor(await healthy(server));
  expect(output).toContain('note Migrations: 0003_versions.sql to be applied; the next start does it');
  const wrong = await doctor({ ...(await healthy(server)), PORT: 'many', REDIS_URL: 'http://:pass-word@one' });
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain('BAD  Configuration: PORT: must be a whole number.');
  expect(wrong.output).not.toContain('pass-word');
  const nowhere = await doctor({
    ...(await healthy(server)),
    DATABASE_URL: 'postgres://me:pass-word@127.0.0.1:9/none',
    REDIS_URL: 'redis://:pass-word@127.0.0.1:9',
  });
  expect(nowhere.output).toContain('BAD  PostgreSQL: cannot be asked (ECONNREFUSED).');
  expect(nowhere.output).toContain('BAD  Redis: cannot be reached.');
  expect(nowhere.output).not.toContain('pass-word');
});

it('says where people would be refused because they open another address than PUBLIC_BASE_URL', async ({ server }) => {
  const at = async (address: string) => {
    const { code, output } = await doctor({ ...(await healthy(server)), PUBLIC_BASE_URL: address });
    return [code, output.split('\n').find((line) => line.includes('Address:'))];
  };
  const redirecting = await somebody(301, { location: `${server.url}/app` });
  const { port } = new URL(server.url);
  expect(await at(redirecting)).toEqual([
    1,
    `BAD  Address: ${redirecting} leads to ${server.url}, where people would be refused. Set PUBLIC_BASE_URL=${server.url}.`,
  ]);
  expect(await at(`http://localhost:${port}`)).toEqual([
    1,
    expect.stringContaining(`BAD  Address: the server at http://localhost:${port} has PUBLIC_BASE_URL=${server.url}`),
  ]);
  expect(await at(await somebody(200))).toEqual([0, expect.stringContaining('note Address: something else')]);
  expect(await at(`http://127.0.0.1:${await freePort()}`)).toEqual([0, expect.stringContaining('(ECONNREFUSED)')]);
  expect(await at(`http://0.0.0.0:${await freePort()}`)).toEqual([
    0,
    expect.stringContaining('neither https nor localhost'),
  ]);
});

it('calls nobody bad who is not used', async ({ server }) => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const { code, output } = await doctor({
    ...(await healthy(server)),
    EXPO_BASE_URL: nowhere,
    GOOGLE_JWKS_URL: nowhere,
    APPLE_JWKS_URL: nowhere,
    EXPO_ACCESS_TOKEN: '',
    GOOGLE_ALLOWED_AUDS: '',
    APPLE_ALLOWED_AUDS: '',
  });
  for (const line of [
    'ok   Sign-in with Google: switched off, because GOOGLE_ALLOWED_AUDS is not set.',
    'ok   Sign-in with Apple: switched off, because APPLE_ALLOWED_AUDS is not set.',
    'note Push: Expo cannot be reached (ECONNREFUSED). EXPO_ACCESS_TOKEN is not set,',
  ]) {
    expect(output).toContain(line);
  }
  expect(output).not.toMatch(/BAD .*(Expo|Google|Apple)/);
  expect(code).toBe(output.includes('BAD') ? 1 : 0);
});

it('says that this release is too old for the database', async ({ server }) => {
  await server.sql("comment on table schema_migrations is '-- oldest that runs: 0950'");
  onTestFinished(async () => void (await server.sql('comment on table schema_migrations is null')));
  const { code, output } = await doctor(await healthy(server));
  expect(output).toContain('BAD  Migrations: This release is too old for this database');
  expect(code).toBe(1);
});
