// One hostile account at full speed beside ordinary people: what do they notice?
//   npm run bench:neighbour -- --seconds 8 --only plans,reads; see README.md in this folder.
import { type ChildProcess, fork } from 'node:child_process';
import { Agent } from 'node:http';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  type Answer,
  type Bench,
  keepTokens,
  makeHistories,
  makePhones,
  type Phone,
  prepare,
  prepareLogin,
  prepareRefresh,
  quantile,
  residentMiB,
  send,
  shown,
  startBench,
  Tally,
  untilQuiet,
  watchIdle,
  withToken,
  ZONE,
} from './helpers.ts';
import type { Orders, Report } from './hostile.ts';

/** Name in hostile.ts → what it does. */
const SCENARIOS: Record<string, string> = {
  plans: '15 parallel saves of plans of 38 and 87 kB',
  workouts: '15 parallel finished workouts of 86 kB',
  reads: '15 parallel reads of 100 such workouts, in all zones',
  pictures: '60 parallel uploads of 5000 × 5000 pixels, a third aborted',
  logins: '95 parallel logins with wrong passwords',
  refreshes: '10 parallel refreshes, 10 parallel reads',
  held: '200 requests whose body does not come',
  files: '8 parallel uploads of 6 MB, and of 2 MB with 20,000 names of exercises',
  names: '8 parallel readings and changes of an import with 2,000 names',
  ranges: '15 parallel statistics of 30 years, of days in the year 9990, of the year 0',
  pages: '15 parallel pages of 200 workouts of 1 MB each, and duplicates of them',
  search: '15 parallel searches for nothing in 20,000 workouts',
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    only: { type: 'string', default: Object.keys(SCENARIOS).join() },
    people: { type: 'string', default: '10' },
    rate: { type: 'string', default: '20' },
  },
});
/** A proof is good for a minute, and all of a scenario's are made ahead. */
const SECONDS = Math.min(40, Math.max(1, Number(values.seconds)));
const CHOSEN = values.only.split(',');
const PEOPLE = Math.max(2, Number(values.people));
const RATE = Math.min(200, Math.max(1, Number(values.rate)));
const WORKOUTS_EACH = 40;
/** Of twenty requests, as people send them. Those who refresh do nothing else: a refresh ends their access tokens. */
const MIX = [
  ...Array<string>(6).fill('getworkout'),
  ...Array<string>(5).fill('gettracking'),
  ...Array<string>(4).fill('bootstrap'),
  ...Array<string>(3).fill('aerobics/add'),
  ...Array<string>(2).fill('refresh'),
];
const SIGN_IN = 'login';
/** The aim: beside a hostile account the slowest requests of others take at most so many times as long. */
const AIM = 3;
/** Without the hostile account so much of the machine should be idle; else something else runs on it. */
const QUIET = 0.5;

/** Ordinary people, by what they do. */
interface People {
  users: Phone[];
  refreshers: Phone[];
  signers: Phone[];
}

/** What ordinary people noticed, and what the server was like meanwhile. */
interface Figures {
  name: string;
  /** Sorted milliseconds by kind of request. */
  times: Map<string, number[]>;
  failures: Tally;
  sent: number;
  pauseMs: number;
  residentMiB: number;
  /** Longest pause of the process that measures. */
  ownPauseMs: number;
  /** Share of the whole machine that nobody used. */
  idle: number;
}

interface Due {
  /** Milliseconds after the start. */
  at: number;
  name: string;
  send(): Promise<Answer>;
}

async function main(): Promise<void> {
  const unknown = CHOSEN.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown}; known: ${Object.keys(SCENARIOS)}.`);
  const bench = await startBench({ ACCESS_TOKEN_TTL_SEC: '3600' });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => bench.stop().finally(() => process.exit(1)));
  }
  const agent = new Agent({ keepAlive: true });
  try {
    const people = await makePeople(bench, agent);
    await measure(bench, agent, people, 'warm-up', 5);
    await untilQuiet(bench.pid);
    const idle = await measure(bench, agent, people, 'nobody (idle)', 2 * SECONDS);
    const rows: Array<[Figures, string]> = [[idle, '–']];
    for (const scenario of CHOSEN) {
      console.error(`${scenario} …`);
      rows.push(await beside(bench, agent, people, scenario));
    }
    rows.push([await measure(bench, agent, people, 'nobody (afterwards)', SECONDS), '–']);
    print(rows, idle);
    for (const [text, times] of await bench.errors()) console.log(`\nThe server logged ${times} × ${text}`);
  } finally {
    agent.destroy();
    await bench.stop();
  }
}

async function makePeople(bench: Bench, agent: Agent): Promise<People> {
  const phones = await makePhones(bench.sql, 'neighbour', PEOPLE);
  await makeHistories(bench, agent, phones, WORKOUTS_EACH);
  const refreshers = phones.splice(0, Math.max(1, Math.floor(PEOPLE * 0.3)));
  return { users: phones, refreshers, signers: await makePhones(bench.sql, 'signer', 3, PEOPLE) };
}

/** The people beside one hostile account. @returns their figures, and in words what the account got */
async function beside(bench: Bench, agent: Agent, people: People, scenario: string): Promise<[Figures, string]> {
  const [{ username = '' } = {}] = await makePhones(bench.sql, `hostile_${scenario}`, 1);
  const orders: Orders = { scenario, url: bench.url, username };
  const hostile = fork(join(import.meta.dirname, 'hostile.ts'), [JSON.stringify(orders)]);
  if (hostile.pid) setPriority(hostile.pid, 10); // in truth it has machines of its own
  try {
    const ready = await reportOf(hostile);
    if (!('prepared' in ready)) throw new Error('the hostile process began by itself');
    await untilQuiet(bench.pid);
    const reported = reportOf(hostile);
    hostile.send(SECONDS + 1);
    await pause(500);
    const figures = await measure(bench, agent, people, SCENARIOS[scenario] ?? scenario, SECONDS);
    const report = await reported;
    await untilQuiet(bench.pid);
    if ('prepared' in report) throw new Error('the hostile process reported twice that it is ready');
    const tally = new Tally();
    for (const [status, times] of report.statuses) tally.add(status, times);
    const received = report.received > 10 ? `; ${report.received.toFixed(0)} MiB received` : '';
    return [figures, `${tally}${received} (${report.cores.toFixed(1)} cores; before: ${ready.prepared})`];
  } finally {
    hostile.kill();
  }
}

async function reportOf(hostile: ChildProcess): Promise<Report> {
  const { promise, resolve, reject } = Promise.withResolvers<Report>();
  const failed = (code: number | null) => reject(new Error(`the hostile process ended with ${code}`));
  hostile.once('message', (report) => resolve(report as Report)).once('exit', failed);
  try {
    return await promise;
  } finally {
    hostile.off('exit', failed);
  }
}

/** Sends the people's requests when they are due, answered or not, and waits for every answer. */
async function measure(bench: Bench, agent: Agent, people: People, name: string, seconds: number): Promise<Figures> {
  const requests = await planned(bench.url, agent, people, seconds);
  await bench.metrics(); // the longest pause counts from here
  const own = monitorEventLoopDelay({ resolution: 5 });
  own.enable();
  const idle = watchIdle();
  const memory: number[] = [];
  const sampling = setInterval(async () => memory.push(await residentMiB(bench.pid)), 100);
  const times = new Map<string, number[]>();
  const failures = new Tally();
  const started = performance.now();
  await Promise.all(
    requests.map(async (due) => {
      await pause(Math.max(0, started + due.at - performance.now()));
      const sent = performance.now();
      const { status } = await due.send();
      times.set(due.name, [...(times.get(due.name) ?? []), performance.now() - sent]);
      if (status !== 200 && status !== 201) failures.add(`${due.name} ${status}`);
    }),
  );
  clearInterval(sampling);
  own.disable();
  const idleShare = idle();
  const metrics = await bench.metrics();
  for (const list of times.values()) list.sort((a, b) => a - b);
  return {
    name,
    times,
    failures,
    sent: requests.length,
    pauseMs: (metrics.get('nodejs_eventloop_lag_max_seconds') ?? Number.NaN) * 1000,
    residentMiB: Math.max(...memory),
    ownPauseMs: own.max / 1e6,
    idle: idleShare,
  };
}

/** The requests of so many seconds, evenly spread, each with its proof. */
async function planned(url: string, agent: Agent, people: People, seconds: number): Promise<Due[]> {
  const { users, refreshers, signers } = people;
  const spread = [...MIX.keys()].map((n) => MIX[(n * 7) % MIX.length] as string); // 7 and 20 share no factor: mixed
  const tz = encodeURIComponent(ZONE);
  const gets: Record<string, string> = {
    getworkout: `/api/workouts/getworkout?tz=${tz}`,
    gettracking: `/api/workouts/gettracking?tz=${tz}`,
    bootstrap: `/api/bootstrap/get?tz=${ZONE}`,
  };
  const requests: Due[] = [];
  for (let n = 0; n < seconds * RATE; n++) {
    const name = spread[n % spread.length] as string;
    const at = (n * 1000) / RATE;
    if (name === 'refresh') {
      const phone = refreshers[n % refreshers.length] as Phone;
      requests.push({ at, name, send: await refreshing(url, agent, phone) });
      continue;
    }
    const phone = users[n % users.length] as Phone;
    const record = { type: `Run ${n}`, durationMins: 30, durationSec: 15 }; // another one each time, so that it is stored
    const ready = await (gets[name]
      ? prepare(url, phone, 'GET', gets[name], undefined, { 'accept-encoding': 'gzip' })
      : prepare(url, phone, 'POST', '/api/aerobics/add', { record, tz: ZONE }));
    requests.push({ at, name, send: () => send(agent, url, ready) });
  }
  for (let n = 0; n < seconds; n++) {
    const phone = signers[n % signers.length] as Phone;
    requests.push({ at: n * 1000 + 25, name: SIGN_IN, send: () => send(agent, url, prepareLogin(phone)) });
  }
  return requests;
}

/** The next refresh of a phone starts from the tokens of the last one, so it waits for it: that time counts. */
const underWay = new Map<Phone, Promise<unknown>>();

async function refreshing(url: string, agent: Agent, phone: Phone): Promise<() => Promise<Answer>> {
  const ready = await prepareRefresh(url, phone);
  const refresh = async () => {
    const answer = await send(agent, url, withToken(ready, phone));
    if (answer.status === 200) keepTokens(phone, answer);
    return answer;
  };
  return () => {
    const answer = (underWay.get(phone) ?? Promise.resolve()).then(refresh);
    underWay.set(phone, answer);
    return answer;
  };
}

function print(rows: Array<[Figures, string]>, idle: Figures): void {
  console.log(
    `${PEOPLE} people, ${RATE} requests a second in all; ${SECONDS} s a scenario (idle: ${2 * SECONDS} s), ` +
      `Node ${process.version}. Milliseconds; × is against idle; own pause: of the process that measures.\n`,
  );
  const base = summary(idle);
  console.log(
    '| hostile account | p50 | p95 | p99 | p50 × | p95 × | p99 × | failed | logins p50 | worst | failed | longest pause | RSS MiB | own pause | machine idle |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|---|---:|---:|---|---:|---:|---:|');
  for (const [figures] of rows) {
    const { p50, p95, p99, loginP50, loginWorst, failed, loginsFailed } = summary(figures);
    const cells = [
      figures.name,
      ...[p50, p95, p99].map((ms) => shown(ms, 1)),
      ...[p50 / base.p50, p95 / base.p95, p99 / base.p99].map((ratio) => shown(ratio, 1)),
      `${failed}`,
      ...[loginP50, loginWorst].map((ms) => shown(ms)),
      `${loginsFailed}`,
      ...[figures.pauseMs, figures.residentMiB, figures.ownPauseMs].map((figure) => shown(figure)),
      `${shown(figures.idle * 100)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }

  const kinds = [...new Set(MIX)];
  console.log(`\n| p50 / worst of | ${kinds.join(' | ')} |\n|---|${kinds.map(() => '---:|').join('')}`);
  for (const [{ name, times }] of rows) {
    const cells = kinds.map((kind) => {
      const list = times.get(kind) ?? [];
      return `${shown(quantile(list, 0.5), 1)} / ${shown(list.at(-1) ?? Number.NaN, 1)}`;
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }

  console.log('\nWhat the hostile account got:\n');
  for (const [{ name }, got] of rows.slice(1, -1)) console.log(`* ${name}: ${got}`);
  console.log('');
  for (const [figures] of rows.slice(1, -1)) {
    const { p99, failed, loginsFailed } = summary(figures);
    const [ratio, count] = [p99 / base.p99, failed.total + loginsFailed.total];
    const reached = ratio < AIM && count === 0;
    const why = `p99 ${shown(ratio, 1)} × idle, ${count} of ${figures.sent} requests of others failed`;
    console.log(`${reached ? 'reached    ' : 'NOT reached'} ${figures.name}: ${why}`);
  }
  const least = Math.min(idle.idle, rows.at(-1)?.[0].idle ?? 0);
  if (least < QUIET) {
    console.log(
      `\nThe ratios say little: without the hostile account only ${shown(least * 100)} % of the machine were idle.`,
    );
  }
}

function summary({ times, failures }: Figures) {
  const all = [...times].flatMap(([kind, list]) => (kind === SIGN_IN ? [] : list)).toSorted((a, b) => a - b);
  const logins = times.get(SIGN_IN) ?? [];
  const [failed, loginsFailed] = [new Tally(), new Tally()];
  for (const [what, count] of failures.counts) {
    (what.startsWith(SIGN_IN) ? loginsFailed : failed).add(what, count);
  }
  return {
    ...{ p50: quantile(all, 0.5), p95: quantile(all, 0.95), p99: quantile(all, 0.99) },
    ...{ loginP50: quantile(logins, 0.5), loginWorst: logins.at(-1) ?? Number.NaN },
    ...{ failed, loginsFailed },
  };
}

await main();
