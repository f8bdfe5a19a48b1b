// What a person who trains for a year leaves in the database; see README.md in this folder.
import { Agent } from 'node:http';
import {
  exercisesIn,
  hoursAgo,
  keepTokens,
  makePhones,
  prepare,
  prepareLogin,
  send,
  startBench,
  workoutOf,
  ZONE,
} from './helpers.ts';

const PEOPLE = Number(process.env.BENCH_PEOPLE ?? 20);
const WORKOUTS = 156; // three a week
const RUNS = 52;

interface TableRow {
  name: string;
  rows: number;
  bytes: number;
}

/** Rows and bytes with indexes, of tables that hold something. */
const TABLES = `
  select
    c.relname as name,
    (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', c.oid::regclass), false, true, '')))[1]::text::int
      as rows,
    pg_total_relation_size(c.oid)::int as bytes
  from pg_class c
  where c.relnamespace = 'public'::regnamespace
    and c.relkind = 'r'
  order by 3 desc`;

const bench = await startBench({ RATE_LIMIT_ENABLED: 'false' });
try {
  const sizes = async () => {
    await bench.sql.query('vacuum full');
    return (await bench.sql.query<TableRow>(TABLES)).rows;
  };
  const phones = await makePhones(bench.sql, 'year', PEOPLE);
  const before = new Map((await sizes()).map((table) => [table.name, table]));
  const agent = new Agent({ keepAlive: true });
  const expecting = async (status: number, phone: (typeof phones)[number], path: string, body: object) => {
    const answer = await send(agent, bench.url, await prepare(bench.url, phone, 'POST', path, body));
    if (answer.status !== status) throw new Error(`${path} was answered ${answer.status}: ${answer.body}`);
    return answer;
  };
  for (const phone of phones) {
    keepTokens(phone, await send(agent, bench.url, prepareLogin(phone)));
    const split = (first: number) => Array.from({ length: 6 }, (_, n) => ({ id: first + n, sets: [10, 8, 6] }));
    const workoutData = { A: split(1), B: split(20), C: split(40) };
    const splits = exercisesIn(await expecting(200, phone, '/api/workouts/add', { workoutData }));
    for (let n = WORKOUTS; n > 0; n--) {
      const start = hoursAgo((n * 365 * 24) / WORKOUTS);
      await expecting(200, phone, '/api/workouts/finishworkout', workoutOf(splits[n % 3] ?? [], start));
    }
    for (let n = 0; n < RUNS; n++) {
      await expecting(201, phone, '/api/aerobics/add', {
        record: { type: 'Run', durationMins: 30, durationSec: n },
        tz: ZONE,
      });
    }
  }
  agent.destroy();
  await bench.sql.query('select public.housekeeping_compact_old_workouts()');
  console.log('| table | rows a person and year | kB |\n|---|---:|---:|');
  let total = 0;
  for (const { name, rows, bytes } of await sizes()) {
    const grown = (bytes - (before.get(name)?.bytes ?? 0)) / PEOPLE / 1000;
    total += grown;
    if (grown > 0.05)
      console.log(`| ${name} | ${Math.round((rows - (before.get(name)?.rows ?? 0)) / PEOPLE)} | ${grown.toFixed(1)} |`);
  }
  console.log(`| all | | ${total.toFixed(1)} |`);
} finally {
  await bench.stop();
}
