// An import ends whole, whatever dies in the middle of it; two at once of one person do not mix.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freePort, startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { type Person, signedIn } from './helpers/logbook.ts';
import { startProcess } from './helpers/process.ts';
import type { TestServer } from './helpers/server.ts';

const WORKOUTS = 1_500;
const HEADER =
  'title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe';

/** A workout a day, three sets each. */
function hevyFile(title: string, exercise: string, hour: number): string {
  const lines = Array.from({ length: WORKOUTS }, (_, n) => {
    const day = new Date(Date.UTC(2020, 0, 1 + n)).toUTCString().split(' ');
    const start = `${Number(day[1])} ${day[2]} ${day[3]}, ${hour}:00`;
    return [0, 1, 2].map((index) => `${title},"${start}","${start}",,${exercise},,,${index},normal,${n / 4},5,,,`);
  });
  return [HEADER, ...lines.flat()].join('\n');
}

async function committing(person: Person, file: string): Promise<string> {
  const form = new FormData();
  form.append('timeZone', 'UTC');
  form.append('file', new Blob([file]));
  const { id } = (await (await person.send('POST', '/imports', form)).json()) as { id: string };
  expect((await person.call('POST', `/imports/${id}/commit`)).status).toBe(202);
  return id;
}

it('killed with the worker and with the database, it ends whole; another one beside it does, too', {
  timeout: 240_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strong-together-import-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const startPostgres = () => startEmbeddedPostgres(folder, ['fsync=off'], port);
  let postgres = await startPostgres();
  onTestFinished(async () => postgres.stop());
  const apiPort = String(await freePort());
  const url = `http://127.0.0.1:${apiPort}`;
  const env = { DATA_DIR: folder, DATABASE_URL: postgres.url, PUBLIC_BASE_URL: url };
  const api = await startProcess('api', { ...env, PORT: apiPort });
  onTestFinished(async () => void (await api.kill('SIGKILL')));
  let worker = await startProcess('worker', env);
  onTestFinished(async () => void (await worker.kill('SIGKILL')));
  const superuserUrl = Object.assign(new URL(postgres.superuserUrl), { pathname: '/strong_together' }).href;
  const sql = async (text: string, values: unknown[] = []) => {
    const client = new pg.Client({ connectionString: superuserUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const asServer = {
    url,
    sql,
    fetch: (path: string, init: RequestInit = {}) =>
      fetch(url + path, { ...init, headers: { 'x-app-version': '4.5.0', ...init.headers } }),
  } as unknown as TestServer;
  const person = await signedIn(asServer);
  const ids = [
    await committing(person, hevyFile('Squats', 'Squat (Barbell)', 7)),
    await committing(person, hevyFile('Presses', 'Bench Press (Barbell)', 18)),
  ];
  const progress = async (): Promise<number> => {
    const rows = await sql('select sum(i.done)::int as done from imports i');
    return rows[0].done;
  };
  const until = (done: number) =>
    vi.waitUntil(async () => (await progress().catch(() => 0)) >= done, { timeout: 120_000, interval: 20 });

  await until(200);
  await worker.kill('SIGKILL');
  worker = await startProcess('worker', env);
  await until(600);
  const pid = Number((await readFile(join(folder, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await vi.waitUntil(() =>
    sql('select').then(
      () => false,
      () => true,
    ),
  );
  postgres = await startPostgres();

  await vi.waitFor(
    async () => {
      const rows = await sql('select i.state, i.added from imports i');
      expect(rows).toEqual(ids.map(() => ({ state: 'committed', added: WORKOUTS })));
    },
    { timeout: 180_000, interval: 200 },
  );
  const counted = await sql(
    `select w.title, count(distinct w.id)::int as workouts, count(*)::int as sets, max(s.weight)::float as heaviest
     from log_workouts w
     join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
     join log_sets s on s.user_id = b.user_id and s.block_id = b.id
     group by w.title
     order by w.title`,
  );
  const heaviest = (WORKOUTS - 1) / 4;
  expect(counted).toEqual([
    { title: 'Presses', workouts: WORKOUTS, sets: 3 * WORKOUTS, heaviest },
    { title: 'Squats', workouts: WORKOUTS, sets: 3 * WORKOUTS, heaviest },
  ]);
  expect(await sql('select distinct pr_weight from exercise_records')).toEqual([{ pr_weight: heaviest }]);
  expect(await sql('select from import_workouts')).toEqual([]);
});
