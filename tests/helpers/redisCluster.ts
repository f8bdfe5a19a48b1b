import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '#platform/postgres/embedded.ts';
import { runRedis, startRedis, type TestRedis } from '../setup/redis.ts';
import { eventually } from './eventually.ts';

/** A server that says nothing for so long is taken for dead, in milliseconds. */
const DEAD_AFTER_MS = 1_000;
/** What Sentinel calls the servers. */
const NAME = 'strong-together';

/** A replica that has nothing yet replaces nobody: the first copy is made at once. */
const COPY_AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** Waits until a replica has what its master has. */
async function copied(replica: Redis): Promise<void> {
  await eventually(async () => {
    const state = await replica.info('replication');
    if (state.includes('role:slave') && !state.includes('master_link_status:up')) throw new Error('not copied yet');
  });
  replica.disconnect();
}

/** Several Redis servers that replace each other. */
export interface RedisServers {
  /** As `REDIS_URL` has it. */
  url: string;
  /** A key of each server that takes writes. */
  keys: string[];
  /** Ends the server that a key is written to, as a power cut would. */
  killMasterOf(key: string): Promise<void>;
  /** Waits until another server takes writes of the key. */
  promoted(key: string): Promise<void>;
  close(): Promise<void>;
}

/** Three masters with a replica each, and a password. */
export async function startRedisCluster(): Promise<RedisServers> {
  const password = 'of the cluster';
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-cluster-'));
  const servers = new Map<number, TestRedis>();
  for (let n = 0; n < 6; n++) {
    const port = await freePort();
    const flags = ['--dir', folder, '--cluster-enabled', 'yes', '--cluster-config-file', `${port}.conf`];
    const secret = ['--requirepass', password, '--masterauth', password];
    const bus = ['--cluster-port', String(await freePort()), '--cluster-node-timeout', String(DEAD_AFTER_MS)];
    servers.set(port, await startRedis(port, [...flags, ...secret, ...bus, ...COPY_AT_ONCE, '--databases', '1']));
  }
  const ports = [...servers.keys()];
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const cli = ['-a', password, '--no-auth-warning', '--cluster', 'create', ...addresses];
  await promisify(execFile)('redis-cli', [...cli, '--cluster-replicas', '1', '--cluster-yes']);

  const connect = (port: number) =>
    new Redis(port, { password, lazyConnect: true, retryStrategy: () => null }).on('error', () => undefined);
  async function masterOf(key: string): Promise<number | undefined> {
    for (const port of servers.keys()) {
      const redis = connect(port);
      try {
        const slot = await redis.cluster('KEYSLOT', key);
        const ranges = await redis.cluster('SLOTS');
        return ranges.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1];
      } catch {
        // This one is just away.
      } finally {
        redis.disconnect();
      }
    }
    return undefined;
  }
  async function takesWrites(key: string): Promise<void> {
    const redis = connect((await masterOf(key)) ?? 0);
    try {
      await redis.set(key, '', 'PX', 1);
    } finally {
      redis.disconnect();
    }
  }
  const promoted = (key: string) => eventually(() => takesWrites(key));
  const keys = ['b', 'c', 'd']; // slots 3300, 7365 and 11298: each on another master
  for (const key of keys) await promoted(key);
  for (const port of ports) await copied(connect(port));
  return {
    url: `redis+cluster://:${encodeURIComponent(password)}@${addresses.slice(0, 2).join(',')}`,
    keys,
    killMasterOf: async (key) => {
      const port = (await masterOf(key)) ?? 0;
      await servers.get(port)?.stop();
      servers.delete(port);
    },
    promoted,
    close: async () => {
      for (const server of servers.values()) await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A master with a replica, and three sentinels that watch it. */
export async function startRedisSentinel(): Promise<RedisServers> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-sentinel-'));
  const [masterPort, replicaPort] = [await freePort(), await freePort()];
  const servers = new Map([[masterPort, await startRedis(masterPort, ['--dir', folder, ...COPY_AT_ONCE])]]);
  const following = ['--dir', folder, '--replicaof', '127.0.0.1', String(masterPort)];
  servers.set(replicaPort, await startRedis(replicaPort, following));
  await copied(new Redis(replicaPort));
  const sentinels: Array<{ port: number; stop(): Promise<void> }> = [];
  for (let n = 0; n < 3; n++) {
    const port = await freePort();
    const file = join(folder, `${port}.conf`);
    const watched = [`monitor ${NAME} 127.0.0.1 ${masterPort} 2`, `down-after-milliseconds ${NAME} ${DEAD_AFTER_MS}`];
    const lines = [`port ${port}`, 'bind 127.0.0.1', ...watched.map((line) => `sentinel ${line}`)];
    await writeFile(file, `${lines.join('\n')}\n`);
    sentinels.push({ port, stop: await runRedis([file, '--sentinel'], 'Sentinel ID is') });
  }
  const current = async (): Promise<number> => {
    const redis = new Redis(sentinels[0]?.port ?? 0);
    const [, port] = (await redis.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [string, string];
    redis.disconnect();
    return Number(port);
  };
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    keys: [''],
    killMasterOf: async () => {
      const port = await current();
      await servers.get(port)?.stop();
      servers.delete(port);
    },
    promoted: () =>
      eventually(async () => {
        if (!servers.has(await current())) throw new Error('nobody was promoted');
      }),
    close: async () => {
      for (const server of [...sentinels, ...servers.values()]) await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Three masters that speak nothing but TLS. `authority` is the file with which their certificate is believed. */
export async function startTlsCluster(): Promise<{ url: string; authority: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-tls-'));
  const run = promisify(execFile);
  const [key, authority] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', authority]);
  const files = ['--tls-cert-file', authority, '--tls-key-file', key, '--tls-ca-cert-file', authority];
  const servers: TestRedis[] = [];
  const addresses: string[] = [];
  for (let n = 0; n < 3; n++) {
    const port = await freePort();
    const flags = ['--dir', folder, '--cluster-enabled', 'yes', '--cluster-config-file', `${port}.conf`];
    const tls = ['--tls-port', String(port), '--tls-cluster', 'yes', '--tls-auth-clients', 'no', ...files];
    const bus = ['--cluster-port', String(await freePort()), '--databases', '1'];
    servers.push(await startRedis(0, [...flags, ...tls, ...bus]));
    addresses.push(`127.0.0.1:${port}`);
  }
  const cli = ['--tls', '--cacert', authority, '--cluster', 'create', ...addresses, '--cluster-yes'];
  await run('redis-cli', cli);
  return {
    url: `rediss+cluster://${addresses.join(',')}`,
    authority,
    close: async () => {
      for (const server of servers) await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
