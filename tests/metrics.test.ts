// What an operator sees: the metrics themselves, and that dashboard, alerts and runbook speak of metrics that exist.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '#platform/postgres/embedded.ts';
import { newPhone } from './helpers/person.ts';
import { openSocket, ticketOf } from './helpers/phoneSocket.ts';
import { withServer } from './helpers/server.ts';

const ROOT = join(import.meta.dirname, '..');
const METRICS_PORT = String(await freePort());
const PROMTOOL = spawnSync('promtool', ['--version']).status === 0;

const it = withServer({
  env: { METRICS_PORT, RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GENERAL_PER_MIN: '40' },
}).extend('scraped', async ({ server: _running }) => {
  const scrape = async () => (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text();
  /** Sums the samples whose line begins so. */
  const sum = async (start: string) =>
    (await scrape())
      .split('\n')
      .filter((line) => line.startsWith(start))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  return { scrape, sum };
});

it('requests are measured by the route that was declared, never by what somebody sent', async ({ server, scraped }) => {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const tracking = '/api/workouts/gettracking?tz=UTC';
  for (const _again of [1, 2]) expect((await phone.get(tracking, accessToken)).status).toBe(200);
  await server.fetch('/api/workouts/gettracking');
  await server.fetch('/no/such/path', { method: 'PROPFIND' });
  const counted = (route: string, status: number) =>
    scraped.sum(`http_request_duration_seconds_count{method="GET",route="${route}",status="${status}"}`);
  expect(await counted('/api/workouts/gettracking', 200)).toBe(2);
  expect(await counted('/api/workouts/gettracking', 401)).toBe(1);
  expect(await scraped.sum('http_request_duration_seconds_count{method="(any)",route="(none)"')).toBe(1);
  const text = await scraped.scrape();
  expect(text).not.toContain('PROPFIND');
  expect(text).not.toContain('such');
  expect(await scraped.sum('cache_reads_total{namespace="tracking",outcome="miss"}')).toBe(1);
  // Nobody asked for the profile twice: its hits are 0, not absent.
  expect((await phone.get('/api/users/get', accessToken)).status).toBe(200);
  expect(await scraped.scrape()).toContain('cache_reads_total{namespace="profile",outcome="hit"} 0');
  expect(await scraped.sum('cache_reads_total{namespace="tracking",outcome="hit"}')).toBe(1);
});

it('refusals, connections, sockets and Redis are measured', async ({ server, scraped }) => {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const opened = openSocket(server.url, { ticket: await ticketOf(phone, accessToken) });
  try {
    await opened.connected();
    expect(await scraped.sum('sockets_connected')).toBe(1);
  } finally {
    opened.socket.close();
  }
  for (let n = 0; n < 41; n++) await server.fetch('/');
  expect(await scraped.sum('limit_refusals_total{limit="general"}')).toBeGreaterThan(0);
  expect(await scraped.sum('redis_up')).toBe(1);
  const text = await scraped.scrape();
  expect(text).toContain('deliveries_total{kind="mail.verification",outcome="failed"} 0');
  expect(text).toContain('outbox_lag_seconds{kind="mail.verification"} 0');
  expect(await scraped.sum('redis_command_duration_seconds_count')).toBeGreaterThan(0);
  expect(await scraped.sum('postgres_connections{pool="requests",state="waiting"}')).toBe(0);
  expect(await scraped.sum('postgres_connection_wait_seconds_count{pool="reserved"}')).toBeGreaterThan(0);
});

it('dashboard and alerts name metrics that exist, and each alert has its line in the runbook', async ({ scraped }) => {
  const names = new Set([...(await scraped.scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const alerts = readFileSync(join(ROOT, 'ops/alerts.yml'), 'utf8');
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'ops/dashboard.json'), 'utf8')) as {
    panels: Array<{ targets: Array<{ expr: string }> }>;
  };
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
  const used = [...`${alerts}\n${expressions}`.matchAll(/\b[a-z]+(?:_[a-z0-9]+)+\b(?=[{[)> ]|$)/gm)].map(
    ([name]) => name,
  );
  const unknown = used.filter(
    (name) => !names.has(name.replace(/_(bucket|count|sum)$/, '')) && name !== 'histogram_quantile',
  );
  expect(unknown).toEqual([]);
  expect(new Set(used).size).toBeGreaterThan(10);
  const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
  const alertNames = [...alerts.matchAll(/alert: (\S+)/g)].map(([, name]) => name);
  expect(alertNames).toEqual([...runbook.matchAll(/^\| ([A-Z]\w+) \|/gm)].map(([, name]) => name));
});

it.skipIf(!PROMTOOL)('Prometheus accepts the rules, and they fire when they should', () => {
  const output = execFileSync('promtool', ['check', 'rules', join(ROOT, 'ops/alerts.yml')], { encoding: 'utf8' });
  expect(output).toContain('12 rules found');
  execFileSync('promtool', ['test', 'rules', join(ROOT, 'ops/alerts.test.yml')]);
});
