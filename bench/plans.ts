// Records how PostgreSQL runs every query of every request on a large database (see seed.ts):
//   npm run -s bench:plans -- --data .data-large > bench/plans.md
// It ends with an error if a query reads a whole table of people's data.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hash } from '@node-rs/bcrypt';
import { StrongTogetherClient } from '@strong-together/client';
import pg from 'pg';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { loadConfig } from '#src/config.ts';
import { prepareDatabase } from '#src/preparedDatabase.ts';
import { startServer } from '#src/server.ts';

/** PostgreSQL's own module writes the plan of every statement, also of those inside functions, into its log. */
const EXPLAIN_ALL = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_analyze=on',
  'auto_explain.log_buffers=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_nested_statements=on',
];
/** From the sixth time on PostgreSQL may use one plan for all people. */
const TIMES = 7;
const PASSWORD = 'a bench password';
/** Tables that hold what all people did; the catalogue of exercises is meant to be read whole. */
const SMALL = ['exercises', 'schema_migrations', 'pg_timezone_names'];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string', default: '.data-large' } } });
  if (!existsSync(values.data)) throw new Error(`${values.data} is missing: make it with bench/seed.ts.`);
  const cluster = await startEmbeddedPostgres(values.data, EXPLAIN_ALL);
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const env = { DATA_DIR: values.data, PORT: String(port), PUBLIC_BASE_URL: baseUrl, RATE_LIMIT_ENABLED: 'false' };
  const config = loadConfig({ ...env, CACHE_ENABLED: 'false' }, developmentSecrets);
  const database = await prepareDatabase(config, buildLog('warn'));
  const url = new URL(cluster.superuserUrl);
  url.pathname = '/strong_together';
  const superuser = new pg.Client({ connectionString: url.href });
  await superuser.connect();
  const logFile = join(values.data, 'postgres/cluster/server.log');
  const start = statSync(logFile).size;
  const server = await startServer(config, database.url, buildLog('error'), { api: true, workers: true });
  try {
    await useEverything(baseUrl, superuser);
    await pause(2_000); // the workers deliver
  } finally {
    await server.close();
    await superuser.end();
    await database.close();
    await cluster.stop();
  }
  print(plansIn(readFileSync(logFile).subarray(start).toString()));
}

/** Every route of a person who trains very often, several times. */
async function useEverything(baseUrl: string, superuser: pg.Client): Promise<void> {
  await superuser.query("update users set password = $1 where username = 'seed_100'", [await hash(PASSWORD, 4)]);
  const client = new StrongTogetherClient({ baseUrl, keptAnswers: 0 });
  await client.login('seed_100', PASSWORD);
  const query = { tz: 'Asia/Jerusalem' };
  for (let n = 0; n < TIMES; n++) {
    const { workoutPlan, workoutPlanForEditWorkout } = await client.call('GET', '/api/workouts/getworkout', { query });
    const ets = workoutPlan?.workoutsplits[0]?.exercisetoworkoutsplit.map(({ id }) => id) ?? [];
    await client.call('GET', '/api/workouts/gettracking', { query });
    await client.call('GET', '/api/analytics/get');
    await client.call('GET', '/api/aerobics/get', { query });
    await client.call('GET', '/api/exercises/getall');
    await client.call('GET', '/api/bootstrap/get', { query: { tz: n % 2 ? 'UTC' : 'Asia/Jerusalem' } });
    const { messages } = await client.call('GET', '/api/messages/getmessages', { query });
    const id = messages[0]?.id ?? '';
    await client.call('PUT', '/api/messages/markasread/:id', { params: { id } });
    await client.call('DELETE', '/api/messages/delete/:id', { params: { id } });
    await client.call('POST', '/api/workouts/finishworkout', {
      body: { workout: ets.map((row) => ({ exercisetosplit_id: row, weight: [60, 62.5], reps: [10, 8] })) },
      headers: { 'idempotency-key': `finish ${Date.now()}` },
    });
    const workoutData = workoutPlanForEditWorkout ?? {};
    await client.call('POST', '/api/workouts/add', { body: { workoutData } });
    await client.call('POST', '/api/aerobics/add', { body: { record: { type: 'Run', durationMins: 5 } } });
    await client.call('PUT', '/api/users/updateself', { body: { fullName: n % 2 ? 'Seed One' : 'Seed Two' } });
    await client.call('PUT', '/api/users/updateself', { body: { email: `plans${n}@example.com` } });
    await client.call('PUT', '/api/users/pushtoken', { body: { token: `ExponentPushToken[plans${n}]` } });
    await client.call('GET', '/api/auth/checkuserverify', { query: { username: 'seed_7' } });
    await client.call('POST', '/api/auth/forgotpassemail', { body: { identifier: 'seed100@example.com' } });
    await client.call('POST', '/api/auth/sendverificationemail', { body: { email: 'seed9@example.com' } });
    await client.call('DELETE', '/api/users/deleteprofilepic');
    await client.call('POST', '/api/ws/generateticket');
    await client.refresh();
    const passer = new StrongTogetherClient({ baseUrl, keptAnswers: 0 });
    const username = `plans_${Date.now() % 1e8}`;
    const email = `${username}@example.com`;
    await passer.call('POST', '/api/users/create', { body: { username, email, password: PASSWORD } });
    await superuser.query('update users set is_verified = true where username = $1', [username]);
    await passer.login(username, PASSWORD);
    await passer.call('POST', '/api/workouts/add', { body: { workoutData: { A: [{ id: 1, sets: [5] }] } } });
    await passer.call('DELETE', '/api/users/deleteself');
  }
  await client.logout();
}

/** Query → its last plan. Queries of the server carry their name in a comment; those inside functions do not. */
function plansIn(log: string): Map<string, string> {
  const plans = new Map<string, string>();
  for (const entry of log.split(/\n(?=\d{4}-\d\d-\d\d )/)) {
    const [, text, plan] =
      /plan:\n\tQuery Text: ([\s\S]*?)\n\t((?=[A-Z])[\s\S]*?(?:\(cost=)[\s\S]*)$/.exec(entry) ?? [];
    if (!text || !plan || /pg_stat_activity|set_config|^update users set/.test(text)) continue;
    const name =
      /^\/\* (\S+) \*\//.exec(text)?.[1] ?? `inside a function: ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 90)}`;
    plans.set(
      name,
      plan
        .replaceAll(/^\t/gm, '')
        .replaceAll(/^.{200}.+$/gm, (line) => `${line.slice(0, 200)} …`)
        .trim(),
    );
  }
  return plans;
}

function print(plans: Map<string, string>): void {
  const scans: string[] = [];
  console.log('# Plans on a large database\n');
  console.log('`npm run bench:plans` made this file: each query of a request as PostgreSQL ran it the last time.\n');
  for (const [name, plan] of [...plans].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [, table] of plan.matchAll(/Seq Scan on (?:public\.)?(\w+)/g)) {
      if (table && !SMALL.includes(table)) scans.push(`${name} reads the whole table ${table}`);
    }
    console.log(`## ${name}\n\n\`\`\`\n${plan}\n\`\`\`\n`);
  }
  if (scans.length > 0) throw new Error(scans.join('\n'));
}

await main();
