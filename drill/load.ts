import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { keepTokens, type Phone, prepare, prepareRefresh, send, withToken, ZONE } from '../bench/helpers.ts';

/** What came of the requests of one step. */
export interface Tally {
  requests: number;
  /** By status, or by what happened to the connection. */
  failures: Map<string, number>;
  /** Longest time in which no write was acknowledged, in milliseconds. */
  longestGap: number;
}

/** People who train, read and refresh, and newcomers who register, until it is stopped. */
export function startLoad(url: string, people: Phone[]) {
  const agent = new Agent({ keepAlive: true });
  const acknowledged = { cardio: [] as string[], registrations: [] as string[] };
  let tally = emptyTally();
  let lastWrite = performance.now();
  let isOver = false;

  function note(status: number | string, isExpected: boolean): void {
    tally.requests++;
    if (!isExpected) tally.failures.set(String(status), (tally.failures.get(String(status)) ?? 0) + 1);
  }
  function wrote(): void {
    tally.longestGap = Math.max(tally.longestGap, performance.now() - lastWrite);
    lastWrite = performance.now();
  }

  async function train(phone: Phone): Promise<void> {
    for (let n = 1; !isOver; n++) {
      if (n % 20 === 0) {
        const answer = await send(agent, url, withToken(await prepareRefresh(url, phone), phone));
        note(answer.status, answer.status === 200);
        if (answer.status === 200) keepTokens(phone, answer);
      }
      const record = { type: 'Run', durationMins: Math.floor(n / 60), durationSec: n % 60 };
      const add = await prepare(url, phone, 'POST', '/api/aerobics/add', { record, tz: ZONE });
      const { status } = await send(agent, url, add);
      note(status, status === 201);
      if (status === 201) {
        acknowledged.cardio.push(`${phone.username} ${record.durationMins} ${record.durationSec}`);
        wrote();
      } else await pause(100); // as the app, which tries again when the person does
      const read = await send(agent, url, await prepare(url, phone, 'GET', `/api/bootstrap/get?tz=${ZONE}`));
      note(read.status, read.status === 200);
      await pause(20);
    }
  }

  async function register(): Promise<void> {
    for (let n = 0; !isOver; n++) {
      const username = `newcomer_${n}`;
      const body = JSON.stringify({ username, email: `${username}@example.com`, password: 'long enough' });
      const headers = { 'x-app-version': '4.5.0', 'content-type': 'application/json' };
      const { status } = await send(agent, url, { method: 'POST', path: '/api/users/create', headers, body });
      note(status, status === 201);
      if (status === 201) acknowledged.registrations.push(`${username}@example.com`);
      await pause(200);
    }
  }

  const working = [...people.map(train), register()];
  return {
    acknowledged,
    /** What came since it was asked last. */
    take: (): Tally => {
      wrote();
      const taken = tally;
      tally = emptyTally();
      return taken;
    },
    stop: async () => {
      isOver = true;
      await Promise.all(working);
      agent.destroy();
    },
  };
}

const emptyTally = (): Tally => ({ requests: 0, failures: new Map(), longestGap: 0 });
