import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '#platform/postgres/database.ts';
import { buildReplayStore } from './replayStore.ts';

/*
 * Outages and the passing of minutes, with stores that a test takes away by a word; that the real ones remember is
 * shown in replayStore.test.ts and tests/outages.test.ts.
 */

const NOW = 1_800_000_000_000;
const REMEMBERED = 180;

/** A Redis of one process, and the connections that instances have to it. */
function sharedRedis() {
  const kept = new Map<string, { value: string; seconds: number }>();
  const connections: FakeConnection[] = [];
  class FakeConnection extends EventEmitter {
    status = 'ready';
    fails = false;
    async set(key: string, value: string, unit: string, seconds: number, condition: string) {
      expect([unit, condition]).toEqual(['EX', 'NX']);
      if (this.fails) throw new Error('no answer');
      if (kept.has(key)) return null;
      kept.set(key, { value, seconds });
      return 'OK';
    }
    async get(key: string) {
      return kept.get(key)?.value ?? null;
    }
  }
  return {
    kept,
    connect() {
      const connection = new FakeConnection();
      connections.push(connection);
      return connection;
    },
    goAway() {
      for (const connection of connections) {
        connection.status = 'reconnecting';
        connection.emit('close');
      }
    },
    comeBack() {
      for (const connection of connections) {
        connection.status = 'ready';
        connection.emit('ready');
      }
    },
  };
}

/** What the two functions of the database do; `asked` counts the questions about proofs. */
function sharedDatabase() {
  const kept = new Map<string, { requestId: unknown; expiry: number }>();
  const database = {
    asked: 0,
    async queryUnscoped(_turnOf: string, { name }: { name: string }, values: unknown[]): Promise<unknown[]> {
      if (name === 'replayStore.lastExpiry') {
        const last = Math.max(...[...kept.values()].map(({ expiry }) => expiry), 0);
        return [{ last: last === 0 ? null : new Date(last) }];
      }
      database.asked++;
      const [thumbprint, jti, requestId, seconds] = values;
      expect(seconds).toBe(REMEMBERED);
      const key = `${thumbprint} ${jti}`;
      const before = kept.get(key);
      if (!before) kept.set(key, { requestId, expiry: Date.now() + REMEMBERED * 1000 });
      return [{ first: !before || before.requestId === requestId }];
    },
  };
  return database;
}

type Connection = ReturnType<ReturnType<typeof sharedRedis>['connect']>;
const instance = (database: ReturnType<typeof sharedDatabase>, redis?: Connection) =>
  buildReplayStore(database as unknown as Database, redis as unknown as Redis | undefined);

let proofs = 0;
const proof = () => ({ thumbprint: 'a'.repeat(43), jti: `proof ${proofs++}`, ath: undefined });
const REPLAYED = {
  status: 401,
  code: 'DPOP_PROOF_REPLAYED',
  message: 'DPoP proof was already used.',
  headers: { 'WWW-Authenticate': 'DPoP error="invalid_dpop_proof", algs="ES256"' },
};
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the memory for used proofs', () => {
  it('is Redis alone while Redis is there', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const [one, two] = [await instance(database, redis.connect()), await instance(database, redis.connect())];
    const used = proof();
    await one.accept(used, 'request 1');
    await one.accept(used, 'request 1');
    await two.accept(used, 'request 1');
    await expect(one.accept(used, 'request 2')).rejects.toMatchObject(REPLAYED);
    await expect(two.accept(used, 'request 2')).rejects.toMatchObject(REPLAYED);
    const three = await instance(database, redis.connect());
    await expect(three.accept(used, 'request 2')).rejects.toMatchObject(REPLAYED);
    await two.accept({ ...used, thumbprint: 'b'.repeat(43) }, 'request 3');
    expect(database.asked).toBe(0);
    expect([...redis.kept.values()].map(({ seconds }) => seconds)).toEqual([REMEMBERED, REMEMBERED]);
  });

  it.each(['wait', 'connecting', 'end'])('is the database while the connection says %s', async (status) => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const connection = redis.connect();
    const one = await instance(database, connection);
    connection.status = status;
    await one.accept(proof(), 'request 1');
    expect([redis.kept.size, database.asked]).toEqual([0, 1]);
  });

  it('is both for three minutes after Redis went away, and after it came back', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const [one, two] = [await instance(database, redis.connect()), await instance(database, redis.connect())];
    redis.goAway();
    const used = proof();
    await one.accept(used, 'request 1');
    pass(100);
    redis.comeBack();
    pass(REMEMBERED - 1);
    await expect(two.accept(used, 'request 2')).rejects.toMatchObject(REPLAYED);
    expect(database.asked).toBe(2);
    pass(1);
    await two.accept(proof(), 'request 3');
    expect(database.asked).toBe(2);
  });

  it('is both after a short break that nobody saw but the connection', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const connection = redis.connect();
    const one = await instance(database, connection);
    connection.emit('close');
    await one.accept(proof(), 'request 1');
    expect([redis.kept.size, database.asked]).toEqual([1, 1]);
  });

  it('is both after an answer that Redis did not give', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const connection = redis.connect();
    const one = await instance(database, connection);
    connection.fails = true;
    await one.accept(proof(), 'request 1');
    connection.fails = false;
    await one.accept(proof(), 'request 2');
    expect([redis.kept.size, database.asked]).toEqual([1, 2]);
    pass(REMEMBERED);
    await one.accept(proof(), 'request 3');
    expect([redis.kept.size, database.asked]).toEqual([2, 2]);
  });

  it('is both at the start of an instance while the database holds proofs of an outage', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const used = proof();
    await (await instance(database)).accept(used, 'request 1');
    const one = await instance(database, redis.connect());
    await expect(one.accept(used, 'request 2')).rejects.toMatchObject(REPLAYED);
    pass(REMEMBERED);
    await one.accept(proof(), 'request 3');
    expect(database.asked).toBe(2);
  });

  it('of the instance itself keeps a proof used that was accepted just before an outage, as long as the others', async () => {
    const [redis, database] = [sharedRedis(), sharedDatabase()];
    const one = await instance(database, redis.connect());
    const [used, later] = [proof(), proof()];
    await one.accept(used, 'request 1');
    pass(10);
    await one.accept(later, 'request 2');
    redis.goAway();
    redis.kept.clear();
    pass(REMEMBERED - 11);
    await expect(one.accept(used, 'request 3')).rejects.toMatchObject(REPLAYED);
    await one.accept(used, 'request 1');
    expect(database.asked).toBe(0);
    pass(1);
    await one.accept(used, 'request 4'); // forgotten: no proof is valid for so long
    expect(database.asked).toBe(1);
    await expect(one.accept(later, 'request 5')).rejects.toMatchObject(REPLAYED);
    expect(database.asked).toBe(1);
  });
});
