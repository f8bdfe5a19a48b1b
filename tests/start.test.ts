import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { networkOrigins } from '#identity/ownOrigins.ts';
import { freePort } from '#platform/postgres/embedded.ts';
import { ConfigError, loadConfig } from '#src/config.ts';
import { INHERITED } from './helpers/process.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');
const running: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) await stop(child, 'SIGKILL');
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-start-'));
  folders.push(folder);
  return folder;
}

interface Run {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

function run(env: Record<string, string>, args: string[] = []): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...INHERITED, ...env }, stdio: 'pipe' });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return { child, output: () => text, ended: new Promise((done) => child.once('exit', done)) };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}

async function answers(url: string, isDone: () => boolean = () => false): Promise<boolean> {
  let isUp = false;
  const isOver = async () => {
    isUp = (await fetch(url).catch(() => undefined))?.status === 200;
    return isUp || isDone();
  };
  await vi.waitUntil(isOver, { timeout: 60_000, interval: 25 }).catch(() => undefined);
  return isUp;
}

describe('npm start with nothing configured', () => {
  it('starts its own PostgreSQL, answers, tells where things are, and keeps data and secrets', async () => {
    const folder = await newFolder();
    // As a private checkout of root: only the owner may enter.
    await chmod(folder, 0o700);
    const [port, dataDir] = [String(await freePort()), join(folder, '.data')];
    const create = () =>
      fetch(`http://127.0.0.1:${port}/api/users/create`, {
        method: 'POST',
        headers: { 'x-app-version': '4.5.0', 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'kept', email: 'kept@example.com', password: 'long enough' }),
      });
    const first = run({ PORT: port, DATA_DIR: dataDir });
    expect(await answers(`http://127.0.0.1:${port}/health/ready`)).toBe(true);
    for (const line of [
      `http://localhost:${port}/docs`,
      `http://localhost:${port}/dev/mailbox`,
      'embedded PostgreSQL',
      '"migration":"0001_initial.sql"',
      '"migration":"code"',
      ...networkOrigins(Number(port)),
    ]) {
      expect(first.output()).toContain(line);
    }
    expect((await create()).status).toBe(201);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    // Somebody else's server is where people are to open the page.
    const other = createHttpServer((_req, res) => void res.end('<div id="app" data-address="https://else.example">'));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    onTestFinished(() => void other.close());
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const second = run({ PORT: port, DATA_DIR: dataDir, PUBLIC_BASE_URL: address });
    expect(await answers(`http://127.0.0.1:${port}/health/ready`)).toBe(true);
    expect((await create()).status).toBe(400);

    expect(second.output()).toContain(`${address}/app (PUBLIC_BASE_URL), which has to lead here`);
    const refusal = `the server at ${address} has PUBLIC_BASE_URL=https://else.example and refuses people`;
    await vi.waitFor(() => expect(second.output()).toContain(refusal), 10_000);
    expect(first.output()).not.toMatch(/which has to lead here|refuses people/);

    // A server that was killed leaves PostgreSQL running; the next one takes it over and stops it.
    await stop(second.child, 'SIGKILL');
    const third = run({ PORT: port, DATA_DIR: dataDir });
    expect(await answers(`http://127.0.0.1:${port}/health/ready`)).toBe(true);
    expect((await create()).status).toBe(400);
    third.child.kill('SIGTERM');
    expect(await third.ended).toBe(0);

    // A crash can leave a file that names a process id which by now is another program's.
    const pidFile = [process.pid, join(dataDir, 'postgres/cluster'), 0, await freePort(), '', '127.0.0.1', '', ''].join(
      '\n',
    );
    await writeFile(join(dataDir, 'postgres/cluster/postmaster.pid'), pidFile);
    const fourth = run({ PORT: port, DATA_DIR: dataDir });
    const isUp = await answers(`http://127.0.0.1:${port}/health/ready`, () => fourth.child.exitCode !== null);
    if (isUp) fourth.child.kill('SIGTERM');
    else expect(fourth.output().trim().split('\n')).toHaveLength(1);
    await fourth.ended;
  }, 180_000);
});

it.for(['SIGTERM', 'SIGKILL'] as const)('%s to npm alone ends the server, too', async (signal) => {
  const port = String(await freePort());
  const env = { ...INHERITED, PORT: port, DATA_DIR: await newFolder(), DATABASE_URL: inject('postgresUrl') };
  const npm = spawn('npm', ['start'], { cwd: join(import.meta.dirname, '..'), env, stdio: 'ignore', detached: true });
  onTestFinished(() => {
    // What is left of the group.
    if (spawnSync('kill', ['-9', '--', `-${npm.pid}`]).status === 0) npm.kill('SIGKILL');
  });
  const url = `http://127.0.0.1:${port}/health/ready`;
  expect(await answers(url, () => npm.exitCode !== null)).toBe(true);
  await stop(npm, signal);
  await vi.waitUntil(async () => !(await fetch(url).catch(() => undefined)), { timeout: 30_000, interval: 50 });
});

describe('a start that cannot be', () => {
  const oneSentence = (output: string) => {
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).not.toMatch(/\n\s+at /);
  };

  it('says that the port is taken', async () => {
    const port = await freePort();
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(port, done));
    const { ended, output } = run({ PORT: String(port), DATA_DIR: await newFolder() });
    expect(await ended).toBe(1);
    expect(output()).toContain(`Port ${port} is taken by another program`);
    oneSentence(output());
    await new Promise((done) => holder.close(done));
  });

  it('says that the folder cannot be written', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');
    const { ended, output } = run({ PORT: String(await freePort()), DATA_DIR: join(file, '.data') });
    expect(await ended).toBe(1);
    expect(output()).toContain('cannot be written');
    oneSentence(output());
  });

  it('says that the database cannot be reached', async () => {
    const url = `postgres://me:secret-word@127.0.0.1:${await freePort()}/db`;
    const { ended, output } = run({ PORT: String(await freePort()), DATA_DIR: await newFolder(), DATABASE_URL: url });
    expect(await ended).toBe(1);
    expect(output()).toContain('PostgreSQL cannot be reached');
    expect(output()).not.toContain('secret-word');
    oneSentence(output());
  });

  it('says that Redis cannot be reached', async () => {
    const { ended, output } = run({
      PORT: String(await freePort()),
      DATA_DIR: await newFolder(),
      DATABASE_URL: inject('postgresUrl'),
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      LOG_LEVEL: 'silent',
    });
    expect(await ended).toBe(1);
    oneSentence(output());
    expect(output()).toContain('Redis cannot be reached');
  });

  it('in production lists everything that is wrong, and invents nothing (OP9)', async () => {
    const { ended, output } = run({ NODE_ENV: 'production', PORT: 'abc', MIN_APP_VERSION: '1.0.0' });
    expect(await ended).toBe(1);
    const required = [
      'PUBLIC_BASE_URL',
      'DATABASE_URL',
      'REDIS_URL',
      'JWT_ACCESS_SECRET',
      'JWT_REFRESH_SECRET',
      'JWT_VERIFY_SECRET',
      'JWT_FORGOT_PASSWORD_SECRET',
      'CHANGE_EMAIL_SECRET',
      'JWT_SOCKET_SECRET',
      'RESEND_API_KEY',
      'EMAIL_FROM',
      'SUPABASE_URL',
      'SUPABASE_SERVICE_ROLE',
      'GOOGLE_ALLOWED_AUDS',
      'APPLE_ALLOWED_AUDS',
    ];
    for (const name of ['PORT', ...required]) expect(output()).toMatch(new RegExp(`- ${name}\\b`));
    expect(output()).not.toMatch(/\n\s+at /);
  });
});

describe('npm start where it cannot run', () => {
  const ROOT = join(import.meta.dirname, '..');
  const CHECK = 'src/checkInstallation.cjs';

  /** A checkout with a program that only says that it runs. */
  async function checkout(isInstalled: boolean): Promise<string> {
    const folder = await newFolder();
    for (const file of ['package.json', CHECK]) await cp(join(ROOT, file), join(folder, file), { recursive: true });
    await writeFile(join(folder, 'src/program.cjs'), "console.log('it runs')");
    if (isInstalled) {
      await mkdir(join(folder, 'node_modules/express'), { recursive: true });
      await writeFile(join(folder, 'node_modules/express/index.js'), '');
    }
    return folder;
  }

  async function startIn(folder: string, version: string): Promise<{ code: number | null; output: string }> {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    await writeFile(join(folder, 'pretend.cjs'), pretend);
    const args = ['--require', './pretend.cjs', '--require', `./${CHECK}`, 'src/program.cjs'];
    const child = spawn(process.execPath, args, { cwd: folder, env: INHERITED, stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise<number | null>((done) => child.once('close', done));
    return { code, output: output.trim() };
  }

  it.each([
    [false, '24.21.0', 'The dependencies are not installed: run `npm ci` first.'],
    [false, '20.20.2', 'The dependencies are not installed: run `npm ci` first.'],
    [false, '14.21.3', 'This is Node 14.21.3: install Node 24 or newer (https://nodejs.org), then run `npm ci`.'],
    [true, '20.20.2', 'This is Node 20.20.2, and Node 24 or newer is needed:'],
  ])('installed: %s, Node %s: one sentence', async (isInstalled, version, sentence) => {
    const { code, output } = await startIn(await checkout(isInstalled), version);
    expect([code, output.split('\n')]).toEqual([1, [expect.stringContaining(sentence)]]);
  });

  it('says nothing where everything is there', async () => {
    expect(await startIn(await checkout(true), '24.0.0')).toEqual({ code: 0, output: 'it runs' });
  });

  it('every script that starts the server or a command looks first; README and engines name the same Node', async () => {
    const { scripts, engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    for (const name of [
      'start',
      'api',
      'worker',
      'migrate',
      'admin:link',
      'message:send',
      'db:move-in',
      'db:rebuild-records',
    ]) {
      expect([name, scripts[name]]).toEqual([
        name,
        expect.stringMatching(/^node --require \.\/src\/checkInstallation\.cjs /),
      ]);
    }
    expect(engines.node).toBe('>=24');
    expect(await readFile(join(ROOT, 'README.md'), 'utf8')).toContain('the Node 24 that `engines` asks for');
  });
});

describe('configuration', () => {
  const problems = (env: Record<string, string>) => {
    try {
      loadConfig(env, () => ({}) as never);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };
  const complete = {
    NODE_ENV: 'production',
    PUBLIC_BASE_URL: 'https://api.example.com/',
    DATABASE_URL: 'postgres://u:p@db/x',
    REDIS_HOST: 'redis',
    REDIS_PASSWORD: 'p@ss/word',
    JWT_ACCESS_SECRET: 'a'.repeat(32),
    JWT_REFRESH_SECRET: 'b'.repeat(32),
    JWT_VERIFY_SECRET: 'c'.repeat(32),
    JWT_FORGOT_PASSWORD_SECRET: 'd'.repeat(32),
    CHANGE_EMAIL_SECRET: 'e'.repeat(32),
    JWT_SOCKET_SECRET: 'f'.repeat(32),
    RESEND_API_KEY: 're_x',
    EMAIL_FROM: 'a@example.com',
    SUPABASE_URL: 'https://x.supabase.co',
    SUPABASE_SERVICE_ROLE: 'key',
    GOOGLE_ALLOWED_AUDS: 'a, b',
    APPLE_ALLOWED_AUDS: 'c',
  };

  it('that is complete is accepted', () => {
    const config = loadConfig(complete, () => {
      throw new Error('nothing is invented in production');
    });
    expect(config).toMatchObject({
      PUBLIC_BASE_URL: 'https://api.example.com',
      proofOrigins: ['https://api.example.com'],
      GOOGLE_ALLOWED_AUDS: ['a', 'b'],
      redisUrl: 'redis://:p%40ss%2Fword@redis:6379',
    });
  });

  it.each([
    [{ JWT_ACCESS_SECRET: 'short' }, /JWT_ACCESS_SECRET: must have at least 32 bytes/],
    [{ JWT_ACCESS_SECRET: 'b'.repeat(32) }, /must all differ/],
    [{ DATABASE_URL: 'mysql://x' }, /DATABASE_URL: must be a postgres/],
    [{ TRUST_PROXY_HOPS: '-1' }, /TRUST_PROXY_HOPS/],
    [{ SYSTEM_USER_ID: '7' }, /SYSTEM_USER_ID: must be a uuid/],
    [{ DEFAULT_TZ: 'Mars/Base' }, /DEFAULT_TZ/],
    [{ DEFAULT_TZ: '+02:00' }, /DEFAULT_TZ/],
    [{ NODE_ENV: 'prod' }, /^NODE_ENV: must be production, development or test$/],
    [{ NODE_ENV: 'Production' }, /^NODE_ENV: must be/],
    [
      { PUBLIC_BASE_URL: 'https://example.com/api' },
      /^PUBLIC_BASE_URL: must not have a path: write it as https:\/\/example.com$/,
    ],
    [{ PUBLIC_BASE_URL: 'https://example.com/?a=b' }, /^PUBLIC_BASE_URL: must not have a query/],
    [{ PUBLIC_BASE_URL: 'https://example.com/#top' }, /^PUBLIC_BASE_URL: must not have a fragment/],
    [{ PUBLIC_BASE_URL: 'https://me:word@example.com' }, /^PUBLIC_BASE_URL: must not have a user name or password/],
    [{ PUBLIC_BASE_URL: 'ftp://example.com' }, /^PUBLIC_BASE_URL: must be an http\(s\) URL$/],
    [{ PUBLIC_BASE_URL: 'example.com' }, /^PUBLIC_BASE_URL: must be an http\(s\) URL$/],
    [{ PRIVATE_BASE_URL_DEV: 'http://10.0.2.2:5000/x' }, /^PRIVATE_BASE_URL_DEV: must not have a path/],
    [{ PUBLIC_BASE_URL_RENDER_DEFAULT: 'http://x/y' }, /^PUBLIC_BASE_URL_RENDER_DEFAULT: must not have a path/],
    [{ SUPABASE_URL: 'https://x.supabase.co/storage/v1' }, /^SUPABASE_URL: must not have a path/],
    [{ RESEND_BASE_URL: 'file:///etc' }, /^RESEND_BASE_URL: must be an http\(s\) URL$/],
    [{ EXPO_BASE_URL: 'https://exp.host?x' }, /^EXPO_BASE_URL: must not have a query/],
    [{ PASSWORD_RESET_URL: 'https://example.com/reset?x=1' }, /^PASSWORD_RESET_URL: must not have a query/],
    [{ PASSWORD_RESET_URL: 'javascript:alert(1)' }, /^PASSWORD_RESET_URL: must be an http\(s\) URL$/],
    [{ GOOGLE_JWKS_URL: 'keys' }, /^GOOGLE_JWKS_URL: must be an http\(s\) URL$/],
    [{ CORS_ORIGINS: 'https://a.example.com, https://b.example.com/app' }, /^CORS_ORIGINS: must have origins/],
    [{ CORS_ORIGINS: 'b.example.com' }, /^CORS_ORIGINS: must have origins/],
  ])('%o is a problem', (change, message) => {
    expect(problems({ ...complete, ...change }).join('\n')).toMatch(message);
  });

  it('a slash at the end of a URL changes nothing', () => {
    const slashes = {
      CORS_ORIGINS: 'https://A.example.com/, capacitor://localhost',
      RESEND_BASE_URL: 'https://mail.example.com/v1/',
      EXPO_BASE_URL: 'http://127.0.0.1:9/',
      PRIVATE_BASE_URL_DEV: 'http://10.0.2.2:5000/',
    };
    expect(loadConfig({ ...complete, ...slashes }, () => ({}) as never)).toMatchObject({
      CORS_ORIGINS: ['https://a.example.com', 'capacitor://localhost'],
      RESEND_BASE_URL: 'https://mail.example.com/v1',
      EXPO_BASE_URL: 'http://127.0.0.1:9',
      PRIVATE_BASE_URL_DEV: 'http://10.0.2.2:5000',
    });
  });

  it.each(['', 'TRUE', 'yes', '0'])('DPoP stays on with DPOP_ENABLED=%s (PO4)', (value) => {
    expect(loadConfig({ ...complete, DPOP_ENABLED: value }, () => ({}) as never).DPOP_ENABLED).toBe(true);
  });
});
