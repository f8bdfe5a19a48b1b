/// <reference lib="dom" />
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { startBrowser, type Visit, visit } from './browser.ts';
import { newDemoPerson } from './demo.ts';
import type { Phone } from './person.ts';
import { fixtures, startTestServer, type TestServer } from './server.ts';

/** `it` with a server of the file, a browser, a tab that must not complain, and a person with two years of training. */
export const withPage = () =>
  fixtures
    .extend('server', { scope: 'file' }, ({ untilEnd }) => untilEnd(startTestServer()))
    // Access tokens that end within seconds.
    .extend('brief', { scope: 'file' }, ({ untilEnd, server }) =>
      untilEnd(startTestServer({ sharing: server, env: { ACCESS_TOKEN_TTL_SEC: '3' } })),
    )
    .extend('browser', { scope: 'file' }, async ({ server: _ }, { onCleanup }) => {
      const browser = await startBrowser();
      onCleanup(() => browser.close());
      return browser;
    })
    .extend('demo', { scope: 'file' }, ({ server }) => newDemoPerson(server))
    .extend('tab', async ({ browser }, { onCleanup }) => {
      const opened = await visit(browser);
      onCleanup(async () => {
        expect(opened.complaints).toEqual([]);
        await opened.context.close();
      });
      return opened;
    });

export const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true, level: 1 });

export async function signIn(
  server: TestServer,
  { page }: Pick<Visit, 'page'>,
  { username, password }: Pick<Phone, 'username' | 'password'>,
) {
  await page.goto(`${server.url}/app/sign-in`);
  await page.getByLabel('User name or e-mail').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await heading(page, 'This week').waitFor();
}

export async function open(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', `/app/${to}`);
    dispatchEvent(new PopStateEvent('popstate'));
    const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return drawn().then(drawn);
  }, path);
  await page.locator('main h1').waitFor();
  await page.waitForFunction(() => !document.body.innerText.includes('Loading …'));
}

/** Adds an exercise to the workout that is written, and a first set, which is done. */
export async function writeSet(page: Page, exercise: string, weight: string, reps: string): Promise<void> {
  await page.getByLabel('Add an exercise').fill(exercise);
  await page.getByRole('button', { name: exercise, exact: true }).click();
  const set = page.getByRole('group', { name: `${exercise}, set 1` });
  await set.getByLabel(/Weight/).fill(weight);
  await set.getByLabel('Reps').fill(reps);
  await set.getByLabel('Done').check();
}

export const storedWorkouts = (server: TestServer, { id }: Phone) =>
  server.sql<{ title: string; sets: number }>(
    'select w.title, w.hard_sets as sets from log_workouts w where w.user_id = $1 order by w.started_at',
    [id],
  );
