/// <reference lib="dom" />
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'vitest';
import { heading, open, signIn, withPage } from './helpers/page.ts';
import { newPhone } from './helpers/person.ts';

/* The import of a file whose program nobody knows: the person says what its columns, dates and exercises are. */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FILE = ['Day,What,How heavy,How often', '03/04/2025,Zercher Walk,82.5,8', '03/04/2025,Bench Press,60,5'].join(
  '\n',
);

const it = withPage();

it('a file of any program comes in as the person says it is', async ({ server, tab }) => {
  const phone = await newPhone(server);
  const { page } = tab;
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(server, tab, phone);
  await open(page, 'import');
  await page
    .getByLabel('File, at most 10 MB')
    .setInputFiles({ name: 'mine.csv', mimeType: 'text/csv', buffer: Buffer.from(FILE) });
  const [unknown] = await Promise.all([
    page.waitForResponse((answer) => answer.url().endsWith('/api/v1/imports') && answer.request().method() === 'POST'),
    page.getByRole('button', { name: 'Read the file' }).click(),
  ]);
  expect(unknown.status()).toBe(422);
  await page.getByRole('heading', { name: 'Which column is what?' }).waitFor();
  for (const [field, header] of [
    ['Date', 'Day'],
    ['Exercise', 'What'],
    ['Weight', 'How heavy'],
    ['Reps', 'How often'],
  ] as const) {
    await page.getByLabel(field, { exact: true }).selectOption(header);
  }
  await page.getByRole('button', { name: 'Read the file' }).last().click();
  await page.getByText('The file does not say whether the day or the month comes first.').waitFor();
  await page.getByLabel('Order of dates').selectOption('mdy');
  await page.getByLabel('Unit of weights').selectOption('lb');
  await page.getByLabel('Unit of weights').selectOption('kg'); // an answer can be changed
  await page.getByLabel('Zercher Walk (1 set)').selectOption('create');
  await page.getByLabel('Muscle of Zercher Walk').selectOption('Legs');
  await page.evaluate(AXE);
  const findings = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Array<{ id: string }> }> } };
    return (await axe.run()).violations.map(({ id }) => id);
  });
  expect(findings).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await page.getByRole('button', { name: 'Import 1 workout', exact: true }).click();
  await page.getByText('Added or replaced: 1 workout').waitFor();
  await heading(page, 'Import').waitFor();
  const stored = await server.sql<{ name: string; muscle: string; weight: number; day: string }>(
    `select e.name, e.targetmuscle as muscle, s.weight::float8 as weight, w.started_at::date::text as day
     from log_workouts w
     join log_blocks b on b.user_id = w.user_id and b.workout_id = w.id
     join log_sets s on s.user_id = b.user_id and s.block_id = b.id
     join exercises e on e.id = b.exercise_id
     where w.user_id = $1
     order by b.position`,
    [phone.id],
  );
  expect(stored).toMatchObject([
    { name: 'Zercher Walk', muscle: 'Legs', weight: 82.5 },
    { name: 'Bench Press', muscle: 'Chest', weight: 60 },
  ]);
  tab.complaints.length = 0; // the browser writes down the refusal that the screen answers
});
