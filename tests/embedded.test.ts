// The PostgreSQL of a start with nothing configured: whatever dies, and whoever starts at the same time.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { alone } from '#platform/startLock.ts';
import { StartupError } from '#platform/startupError.ts';
import { INHERITED } from './helpers/process.ts';

const SRC = join(import.meta.dirname, '../src');
const FAST = ['fsync=off'];
const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  await endChildren();
  for (const folder of folders.splice(0)) await remove(folder);
});

async function endChildren(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }
}

async function remove(dataDir: string): Promise<void> {
  // A server that a failed test left behind.
  if (existsSync(pidFile(dataDir))) await startEmbeddedPostgres(dataDir, FAST).then(({ stop }) => stop());
  await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-embedded-'));
  folders.push(folder);
  return folder;
}

const pidFile = (dataDir: string) => join(dataDir, 'postgres/cluster/postmaster.pid');

interface Run {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

function runNode(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, args, { env: { ...INHERITED, ...env }, stdio: 'pipe' });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return { child, output: () => text, ended: new Promise((done) => child.once('close', done)) };
}

/** The whole of a start, and of a stop: secrets, cluster, server, login, migrations. */
const migrate = (dataDir: string) => runNode([join(SRC, 'main.ts'), 'migrate'], { DATA_DIR: dataDir });

/** A program of a few lines in a process of its own, which says when it has got there. */
async function runUntilReady(lines: string): Promise<Run> {
  const run = runNode(['--input-type=module', '-e', lines]);
  await vi.waitFor(() => expect(run.output()).toContain('ready'), { timeout: 30_000 });
  return run;
}

function expectOneSentence(output: string): void {
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(output).not.toMatch(/\n\s+at /);
}

/** What was written apart from the migrations that were applied. */
const othersIn = (output: string): string[] =>
  output.split('\n').filter((line) => line !== '' && !line.includes('"msg":"a migration was applied"'));

async function expectComesUp(dataDir: string): Promise<void> {
  const { ended, output } = migrate(dataDir);
  expect([await ended, othersIn(output())]).toEqual([0, []]);
  expect(existsSync(pidFile(dataDir))).toBe(false);
  expect(readdirSync(join(dataDir, 'postgres')).sort()).toEqual(['cluster', 'lock', 'password']);
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Paths like `base/4` in the cluster, or in one that is being made. */
const inCluster = (dataDir: string, matches: (path: string) => boolean) =>
  namesIn(join(dataDir, 'postgres'))
    .filter((name) => name.startsWith('cluster'))
    .some((name) => namesIn(join(dataDir, 'postgres', name, 'base')).some(matches));

/** What can be seen of a first start from outside, in this order. */
const MOMENTS: Array<(dataDir: string) => boolean> = [
  (dataDir) => existsSync(join(dataDir, 'secrets.json')),
  (dataDir) => inCluster(dataDir, (database) => database === '1'),
  (dataDir) => inCluster(dataDir, (database) => database === '5'),
  (dataDir) => existsSync(join(dataDir, 'postgres/cluster')),
  (dataDir) => existsSync(pidFile(dataDir)),
  (dataDir) => inCluster(dataDir, (database) => Number(database) >= 16_384),
];
const DELAYS_MS = [50, 1_800];

describe('a first start that is killed', () => {
  it('at any moment, time after time, leaves a folder from which the next one comes up', async () => {
    const killEach = async (moments: Array<(dataDir: string) => Promise<unknown>>) => {
      const dataDir = await newFolder();
      for (const moment of moments) {
        const { child, ended, output } = migrate(dataDir);
        await Promise.race([moment(dataDir), ended]);
        child.kill('SIGKILL');
        await ended;
        expect(output()).toBe('');
      }
      await expectComesUp(dataDir);
    };
    const seen = (isThere: (dataDir: string) => boolean) => (dataDir: string) =>
      vi.waitFor(() => expect(isThere(dataDir)).toBe(true), { timeout: 30_000, interval: 2 });
    const both = [killEach(MOMENTS.map(seen)), killEach(DELAYS_MS.map((ms) => () => pause(ms)))];
    for (const result of await Promise.allSettled(both)) expect(result).toMatchObject({ status: 'fulfilled' });
  }, 240_000);

  it('by an older version: an unfinished cluster is made anew, even one that was started', async () => {
    const dataDir = await newFolder();
    const root = join(dataDir, 'postgres');
    await mkdir(join(root, 'cluster/base/1'), { recursive: true });
    for (const name of ['cluster/PG_VERSION', 'cluster/postmaster.opts', 'cluster/base/1/PG_VERSION']) {
      await writeFile(join(root, name), '18\n');
    }
    await writeFile(join(root, 'password'), '');
    await expectComesUp(dataDir);
  });
});

describe('an embedded PostgreSQL', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'strong-together-embedded-'));
  });
  afterAll(() => remove(dataDir));

  it('of an older version, which marked nothing, is kept', async () => {
    const first = await startEmbeddedPostgres(dataDir, FAST);
    await query(first.url, 'create table kept ()');
    await first.stop();
    await rm(join(dataDir, 'postgres/cluster/initialised'));
    const second = await startEmbeddedPostgres(dataDir, FAST);
    expect(await query(second.url, 'select from kept')).toEqual([]);
    await second.stop();
  });

  it('that is only just coming up is waited for', async () => {
    const first = await startEmbeddedPostgres(dataDir, FAST);
    const pid = Number(readFileSync(pidFile(dataDir), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGSTOP'); // it is there, and does not answer
    const second = startEmbeddedPostgres(dataDir, FAST);
    const log = join(dataDir, 'postgres/cluster/server.log');
    try {
      await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toContain('already exists'), { timeout: 20_000 });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await second).url).toBe(first.url);
    await (await second).stop();
    expect(existsSync(pidFile(dataDir))).toBe(false);
  });

  it('is stopped by the last process that uses it, idle or not, and by no other', async () => {
    const idle = await runUntilReady(`
      import { startEmbeddedPostgres } from '${SRC}/platform/postgres/embedded.ts';
      await startEmbeddedPostgres('${dataDir}', ['fsync=off']);
      console.log('ready');
      setInterval(() => undefined, 1_000);`);
    const second = await startEmbeddedPostgres(dataDir, FAST);
    await second.stop();
    await query(second.url, 'select 1');
    idle.child.kill('SIGKILL');
    await idle.ended;
    const third = await startEmbeddedPostgres(dataDir, FAST);
    expect(third.url).toBe(second.url);
    const left = `select from pg_stat_activity where application_name like '%process ${idle.child.pid}'`;
    await vi.waitFor(async () => expect(await query(third.superuserUrl, left)).toEqual([]), { timeout: 20_000 });
    await third.stop();
    expect(existsSync(pidFile(dataDir))).toBe(false);
  });

  it('says in one sentence what is wrong with its password', async () => {
    const first = await startEmbeddedPostgres(dataDir, FAST);
    await first.stop();
    const file = join(dataDir, 'postgres/password');
    const password = await readFile(file, 'utf8');
    const refusal = async () => {
      const error = await startEmbeddedPostgres(dataDir, FAST).catch((reason) => reason);
      expect(error).toBeInstanceOf(StartupError);
      expect(error.message).toContain(file);
      expectOneSentence(error.message);
      expect(existsSync(pidFile(dataDir))).toBe(false);
    };
    await writeFile(file, '');
    await refusal();
    await writeFile(file, 'another');
    await refusal();
    await rm(file);
    await refusal();
    await writeFile(file, password);
    await (await startEmbeddedPostgres(dataDir, FAST)).stop();
  });

  it('that cannot start says where to look', async () => {
    const error = await startEmbeddedPostgres(dataDir, ['shared_buffers=nonsense']).catch((reason) => reason);
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toContain('server.log');
    expectOneSentence(error.message);
  });
});

describe('two starts at once on one data folder', () => {
  it('both come up, one after the other', async () => {
    const dataDir = await newFolder();
    const runs = [migrate(dataDir), migrate(dataDir)];
    expect(await Promise.all(runs.map(async ({ ended, output }) => [await ended, othersIn(output())]))).toEqual([
      [0, []],
      [0, []],
    ]);
    expect(existsSync(pidFile(dataDir))).toBe(false);
  }, 120_000);

  it('agree about secrets that are new', async () => {
    const dataDir = await newFolder();
    await writeFile(join(dataDir, 'secrets.json'), '{"OLD": "kept"}');
    const runs = Array.from({ length: 4 }, () =>
      runNode([
        '--input-type=module',
        '-e',
        `import { developmentSecrets } from '${SRC}/platform/developmentSecrets.ts';
         console.log(JSON.stringify(developmentSecrets('${dataDir}', ['OLD', 'NEW'])));`,
      ]),
    );
    for (const { ended } of runs) expect(await ended).toBe(0);
    const said = runs.map(({ output }) => JSON.parse(output()));
    expect(said[0]).toEqual({ OLD: 'kept', NEW: expect.stringMatching(/^.{43}$/) });
    expect(new Set(runs.map(({ output }) => output())).size).toBe(1);
    expect(developmentSecrets(dataDir, ['OLD', 'NEW'])).toEqual(said[0]);
    expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('wait for the lock, but not for ever, and get it when its holder dies', async () => {
    const lock = join(await newFolder(), 'lock');
    const holder = await runUntilReady(`
      import { alone } from '${SRC}/platform/startLock.ts';
      await alone('${lock}', async () => {
        console.log('ready');
        await new Promise((done) => setTimeout(done, 60_000));
      });`);
    const refused = await alone(lock, async () => 'inside', 200).catch((reason) => reason);
    expect(refused).toBeInstanceOf(StartupError);
    expectOneSentence(refused.message);
    const waiting = alone(lock, async () => 'inside');
    holder.child.kill('SIGKILL');
    expect(await waiting).toBe('inside');
  });
});

describe('secrets that cannot be read', () => {
  it.each(['', '{"JWT_ACCESS_SECRET": "abc', 'null', '[]', '{"JWT_ACCESS_SECRET": 7}'])(
    'are said in one sentence: %j',
    async (text) => {
      const file = join(await newFolder(), 'secrets.json');
      await writeFile(file, text);
      const read = () => developmentSecrets(join(file, '..'), ['JWT_ACCESS_SECRET']);
      expect(read).toThrow(StartupError);
      expect(read).toThrow(file);
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  it('end a start with that sentence', async () => {
    const dataDir = await newFolder();
    await writeFile(join(dataDir, 'secrets.json'), '{"JWT');
    const { ended, output } = migrate(dataDir);
    expect(await ended).toBe(1);
    expect(output()).toContain('secrets.json');
    expectOneSentence(output());
  });
});
