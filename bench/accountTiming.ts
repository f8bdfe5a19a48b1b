// Whether the time of an answer tells who has an account: pairs of the same request, one for an address with an account and
// one for an address without, in turn; see README.md in this folder.

import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKey } from '@strong-together/client';
import { makePhones, type Prepared, prepare, prepareLogin, quantile, send, shown, startBench } from './helpers.ts';

const PAIRS = Number(process.env.BENCH_PAIRS ?? 500);
/** Pairs before those that count: connections, plans and compiled code are there afterwards. */
const WARM_UP = 20;

const bench = await startBench();
const agent = new Agent({ keepAlive: true });
const key = await generateKey();
let requests = 0;
/** Every request comes from a network of its own, so that no limit is met. */
const address = () => `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests++ & 255}`;

const post = (path: string, body: object) => prepare(bench.url, { key, address }, 'POST', path, body);
const signIn = (identifier: string) =>
  Promise.resolve(
    prepareLogin({ username: identifier, key, accessToken: '', refreshToken: '', address }, 'a wrong password'),
  );

interface Question {
  status: number;
  ask: (email: string) => Promise<Prepared>;
  /** Whether the account is one that has not been verified: only those get another verification mail. */
  isUnverified?: true;
}
const QUESTIONS: Record<string, Question> = {
  forgotpassemail: { status: 204, ask: (email) => post('/api/auth/forgotpassemail', { identifier: email }) },
  sendverificationemail: {
    status: 204,
    ask: (email) => post('/api/auth/sendverificationemail', { email }),
    isUnverified: true,
  },
  'sessions/code': { status: 204, ask: (email) => post('/api/v1/sessions/code', { email }) },
  'sessions, wrong code': { status: 401, ask: (email) => post('/api/v1/sessions', { email, code: '00000000' }) },
  'sessions, wrong password': {
    status: 401,
    ask: (email) => post('/api/v1/sessions', { identifier: email, password: 'a wrong password' }),
  },
  login: { status: 401, ask: signIn },
};

/** Until every mail is delivered or dropped: what follows an answer must not be measured with the next one. */
async function untilDelivered(): Promise<void> {
  const open = () => bench.sql.query("select from outbox where status = 'pending' limit 1");
  while ((await open()).rowCount !== 0) await pause(2);
}

async function time({ ask, status }: Question, email: string): Promise<number> {
  const prepared = await ask(email);
  await untilDelivered();
  const answer = await send(agent, bench.url, prepared);
  if (answer.status !== status) throw new Error(`${prepared.path} was answered ${answer.status}: ${answer.body}`);
  return answer.milliseconds;
}

async function measure(name: string, question: Question) {
  const prefix = name.replaceAll(/\W+/g, '_');
  const people = await makePhones(bench.sql, prefix, PAIRS + WARM_UP);
  if (question.isUnverified)
    await bench.sql.query('update users set is_verified = false where username ^@ $1', [prefix]);
  const known: number[] = [];
  const unknown: number[] = [];
  for (const [n, { username }] of people.entries()) {
    const askKnown = async () => known.push(await time(question, `${username}@example.com`));
    // As long as the other one, and as far from its neighbours in an index.
    const askUnknown = async () => unknown.push(await time(question, `${username}@example.org`));
    for (const ask of n % 2 === 0 ? [askKnown, askUnknown] : [askUnknown, askKnown]) await ask();
  }
  const pairs = known.map((ms, n) => [ms, unknown[n] ?? Number.NaN] as const).slice(WARM_UP);
  const median = (side: 0 | 1) =>
    quantile(
      pairs.map((pair) => pair[side]).toSorted((a, b) => a - b),
      0.5,
    );
  const slower = pairs.filter(([a, b]) => a > b).length / pairs.length;
  console.log(`| ${name} | ${shown(median(0), 2)} | ${shown(median(1), 2)} | ${shown(100 * slower, 1)} % |`);
}

try {
  console.log(`| ${PAIRS} pairs | known, median ms | unknown, median ms | known slower |`);
  console.log('|---|---:|---:|---:|');
  const only = process.argv[2];
  for (const [name, question] of Object.entries(QUESTIONS)) {
    if (only === undefined || name.startsWith(only)) await measure(name, question);
  }
} finally {
  agent.destroy();
  await bench.stop();
}
