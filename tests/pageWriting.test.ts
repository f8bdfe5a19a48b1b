/// <reference lib="dom" />
import type { Locator, Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { visit } from './helpers/browser.ts';
import { newOtherSession } from './helpers/otherSession.ts';
import { heading, open, signIn, storedWorkouts, withPage, writeSet } from './helpers/page.ts';
import { newPhone, type Phone } from './helpers/person.ts';
import { linkIn, type TestServer } from './helpers/server.ts';

/*
 * What somebody writes on the page is what is stored: nothing that was not done, no other number, no other time, and nothing
 * is lost between two tabs. And what a person reads where the page cannot work.
 */

const it = withPage();

const BENCH = 'Bench Press';
const group = (page: Page, place: number, exercise = BENCH): Locator =>
  page.getByRole('group', { name: `${exercise}, set ${place}`, exact: true });
const finish = (page: Page) => page.getByRole('button', { name: 'Finish workout' }).click();

async function beginWorkout(page: Page): Promise<void> {
  await open(page, 'workouts/new');
  await page.getByLabel('Title').waitFor();
}

async function addExercise(page: Page, exercise = BENCH): Promise<void> {
  await page.getByLabel('Add an exercise').fill(exercise);
  await page.getByRole('button', { name: exercise, exact: true }).click();
  await group(page, 1, exercise).waitFor();
}

const storedSets = (server: TestServer, { id }: Phone) =>
  server.sql<{ weight: string | null; unit: string | null; reps: number | null }>(
    `select s.weight::float8 as weight, s.unit, s.reps::int as reps
     from log_sets s
     join log_blocks b on b.user_id = s.user_id and b.id = s.block_id
     join log_workouts w on w.user_id = b.user_id and w.id = b.workout_id
     where s.user_id = $1
     order by w.started_at, b.position, s.position`,
    [id],
  );

interface KeptDraft {
  document: { blocks: Array<{ sets: object[] }> };
}

/** Changes the one draft that is kept in the browser, as time or an earlier release would have. */
async function rewriteDraft(page: Page, change: (draft: KeptDraft) => object): Promise<void> {
  const drafts = await page.evaluateHandle(
    () =>
      new Promise<IDBDatabase>((done) => {
        const request = indexedDB.open('strong-together', 1);
        request.onsuccess = () => done(request.result);
      }),
  );
  const entry = await drafts.evaluate(async (database) => {
    const store = database.transaction('drafts').objectStore('drafts');
    const first = <T>(request: IDBRequest<T[]>) =>
      new Promise<T | undefined>((done) => {
        request.onsuccess = () => done(request.result[0]);
      });
    const [key, draft] = await Promise.all([first(store.getAllKeys()), first<KeptDraft>(store.getAll())]);
    return { key: String(key), draft };
  });
  if (!entry.draft) throw new Error('no draft is kept');
  await drafts.evaluate(
    (database, { key, draft }) =>
      new Promise((done) => {
        database.transaction('drafts', 'readwrite').objectStore('drafts').put(draft, key).onsuccess = done;
      }).then(() => undefined),
    { key: entry.key, draft: change(entry.draft) },
  );
}

const MINUTES =
  'select extract(epoch from ended_at - started_at)::int / 60 as minutes from log_workouts where user_id = $1';

/** Stores a workout of the day before, as another program does. */
async function trained(server: TestServer, phone: Phone, sets: object[], daysAgo = 1): Promise<void> {
  const other = await newOtherSession(server, phone);
  const begin = Date.now() - daysAgo * 86_400_000;
  const body = {
    title: 'Before',
    startedAt: new Date(begin).toISOString(),
    endedAt: new Date(begin + 3_600_000).toISOString(),
    timeZone: 'UTC',
    blocks: [{ id: crypto.randomUUID(), exerciseId: await idOf(server, BENCH), sets }],
  };
  expect((await other.call('PUT', `/api/v1/workouts/${crypto.randomUUID()}`, body)).status).toBe(201);
}

async function idOf(server: TestServer, name: string): Promise<number> {
  const [row] = await server.sql<{ id: string }>('select id from exercises where name = $1 and owner_id is null', [
    name,
  ]);
  return Number(row?.id);
}

describe('only what was done is stored', () => {
  it('Enter leads to the next field, and never finishes', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await addExercise(page);
    const set = group(page, 1);
    await set.getByLabel(/Weight/).pressSequentially('80');
    await page.keyboard.press('Enter');
    await page.keyboard.type('5');
    expect(await set.getByLabel('Reps').inputValue()).toBe('5');
    await page.keyboard.press('Enter');
    expect(await set.getByLabel('Done').isChecked()).toBe(false);
    await page.keyboard.press('Enter');
    expect(await set.getByLabel('Done').isChecked()).toBe(true);
    for (const label of ['Title', 'Notes', 'Rest, seconds']) await page.getByLabel(label).press('Enter');
    expect(await heading(page, 'New workout').count()).toBe(1);
    expect(await storedWorkouts(server, phone)).toEqual([]);
  });

  it('values of last time are shown, and not done until they are ticked', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    const last = { kind: 'normal', weight: 80.5, unit: 'kg', reps: 5 };
    await trained(server, phone, [last, last]);
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await addExercise(page);
    expect(
      await group(page, 2)
        .getByLabel(/Weight/)
        .inputValue(),
    ).toBe('80.5');
    await group(page, 1).getByLabel('Done').check();
    await finish(page);
    const dialog = page.getByRole('dialog', { name: 'One set is not done' });
    await dialog.getByText('Bench Press, set 2: 80.5 kg × 5').waitFor();
    await dialog.getByRole('button', { name: 'Back to the workout' }).click();
    await group(page, 2).getByLabel('Reps').fill('6'); // typing alone does nothing
    await finish(page);
    await dialog.getByText('Bench Press, set 2: 80.5 kg × 6').waitFor();
    await dialog.getByRole('button', { name: 'Finish without them' }).click();
    await heading(page, 'Workout').waitFor();
    expect((await storedSets(server, phone)).map(({ reps }) => reps)).toEqual([5, 5, 5]);
  });

  it('what was typed and not ticked can be ticked at the end', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await addExercise(page);
    await group(page, 1).getByLabel('Reps').fill('12');
    await page.getByRole('button', { name: 'Add set' }).click();
    await group(page, 2).getByLabel('Reps').fill('');
    await finish(page);
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Finish without them' }).count()).toBe(0); // nothing would be left
    await dialog.getByRole('button', { name: 'Tick them and finish' }).click();
    await heading(page, 'Workout').waitFor();
    expect(await storedSets(server, phone)).toEqual([{ weight: null, unit: null, reps: 12 }]); // no set without a value
  });

  it('a workout without a set is not stored, nor a set without a value', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await finish(page);
    await page.getByText('There is no set to store yet.').waitFor();
    await addExercise(page);
    await group(page, 1).getByLabel('Done').check();
    await finish(page);
    await page.getByText('Bench Press, set 1: ticked, but nothing is entered').waitFor();
    expect(await page.getByRole('dialog').getByRole('button').allTextContents()).toEqual(['Back to the workout']);
    await page.getByRole('button', { name: 'Back to the workout' }).click();
    await group(page, 1).getByLabel('Reps').fill('5');
    await page.getByRole('button', { name: 'Add set' }).click();
    await group(page, 2).getByLabel('Reps').fill('');
    await addExercise(page, 'Back Squat'); // of which nothing is entered
    await finish(page);
    await heading(page, 'Workout').waitFor();
    expect(await storedSets(server, phone)).toHaveLength(1);
    expect(await server.sql('select exercise_id from log_blocks where user_id = $1', [phone.id])).toHaveLength(1);
  });

  it('doing a workout again stores nothing before something of it is done', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await trained(server, phone, [{ weight: 80, unit: 'kg', reps: 5 }]);
    await signIn(server, tab, phone);
    await open(page, 'workouts');
    await page.getByRole('link', { name: 'Before' }).click();
    await page.getByRole('button', { name: 'Do it again' }).click();
    await heading(page, 'New workout').waitFor();
    expect(await group(page, 1).getByLabel('Reps').inputValue()).toBe('5');
    expect(await group(page, 1).getByLabel('Done').isChecked()).toBe(false);
    expect(await storedWorkouts(server, phone)).toHaveLength(1);
    await group(page, 1).getByLabel('Done').check();
    await finish(page);
    await heading(page, 'Before').waitFor();
    expect(await storedWorkouts(server, phone)).toHaveLength(2);
  });
});

describe('what an earlier release kept in the browser', () => {
  const asBefore = ({ document: workout, ...draft }: KeptDraft, isReady: boolean) => {
    const { changedAt: _changedAt, ...rest } = draft as { changedAt?: string };
    const sets = (block: KeptDraft['document']['blocks'][number]) => ({
      ...block,
      sets: block.sets.map((set) => {
        const { key: _key, isDone: _isDone, ...plain } = set as { key?: string; isDone?: boolean };
        return plain;
      }),
    });
    return { ...rest, isReady, document: { ...workout, blocks: workout.blocks.map(sets) } };
  };

  it('a workout that was finished is sent as it was; of one in progress the sets are named', async ({
    server,
    tab,
  }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await writeSet(page, BENCH, '70', '8');
    await rewriteDraft(page, (draft) => asBefore(draft, false));
    await page.reload();
    await group(page, 1).waitFor();
    await finish(page);
    await page.getByRole('dialog').getByText('Bench Press, set 1: 70 kg × 8').waitFor();
    await page.keyboard.press('Escape');
    await group(page, 1).getByLabel('Reps').fill('9');
    await rewriteDraft(page, (draft) => asBefore(draft, true));
    await page.reload();
    await expect
      .poll(() => storedSets(server, phone), { timeout: 20_000 })
      .toEqual([{ weight: 70, unit: 'kg', reps: 9 }]);
  });
});

describe('numbers', () => {
  it.for(['en-US', 'de-DE'])('82,5 and 82.5 are 82.5 where the language is %s', async (locale, { server, browser }) => {
    const phone = await newPhone(server);
    const opened = await visit(browser, { locale });
    const { page } = opened;
    await signIn(server, opened, phone);
    await beginWorkout(page);
    await addExercise(page);
    await group(page, 1)
      .getByLabel(/Weight/)
      .pressSequentially('82,5');
    await group(page, 1).getByLabel('Reps').pressSequentially('8,5'); // not 85
    await group(page, 1).getByText('Enter a whole number.').waitFor();
    await finish(page);
    expect(
      await group(page, 1)
        .getByLabel('Reps')
        .evaluate((field) => field === document.activeElement),
    ).toBe(true);
    await group(page, 1).getByLabel('Reps').fill('8');
    await group(page, 1).getByLabel('Done').check();
    await page.getByRole('button', { name: 'Add set' }).click();
    await group(page, 2)
      .getByLabel(/Weight/)
      .fill('');
    await group(page, 2)
      .getByLabel(/Weight/)
      .pressSequentially('82.75');
    await group(page, 2).getByLabel('Done').check();
    await page.reload();
    await expect
      .poll(() =>
        group(page, 1)
          .getByLabel(/Weight/)
          .inputValue(),
      )
      .toBe(locale === 'de-DE' ? '82,5' : '82.5');
    await finish(page);
    await heading(page, 'Workout').waitFor();
    expect(await storedSets(server, phone)).toEqual([
      { weight: 82.5, unit: 'kg', reps: 8 },
      { weight: 82.75, unit: 'kg', reps: 8 },
    ]);
    await open(page, 'measurements');
    await page.getByLabel('Value, kg').pressSequentially('80,4');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('It is stored.').waitFor();
    expect(await server.sql('select value::float8 as value from measurements where user_id = $1', [phone.id])).toEqual([
      { value: 80.4 },
    ]);
    expect(opened.complaints).toEqual([]);
    await opened.context.close();
  });

  it('after a change of unit the editor uses it, and what was entered stays', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page, context } = tab;
    await trained(server, phone, [{ weight: 100, unit: 'kg', reps: 5 }]);
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await addExercise(page, 'Back Squat');
    await group(page, 1, 'Back Squat').getByLabel('Weight, kg').fill('90');
    const second = await context.newPage();
    await second.goto(`${server.url}/app/settings`);
    await second.getByLabel('Weights in').selectOption('lb');
    await second.getByRole('button', { name: 'Save', exact: true }).click();
    await second.getByText('It is saved.').waitFor();
    await addExercise(page); // in a tab that was open all the time
    await group(page, 1).getByLabel('Weight, lb').waitFor();
    expect(await group(page, 1).getByLabel('Weight, lb').inputValue()).toBe('220.5');
    expect(await group(page, 1, 'Back Squat').getByLabel('Weight, kg').inputValue()).toBe('90');
    await page.getByRole('button', { name: 'Add set' }).first().click();
    expect(await group(page, 2, 'Back Squat').getByLabel('Weight, lb').inputValue()).toBe('198.4');
    await server.sql("update user_reminder_settings set unit = 'kg' where user_id = $1", [phone.id]); // another device
    await page.goto(`${server.url}/app/workouts/new`);
    await addExercise(page);
    expect(await group(page, 1).getByLabel('Weight, kg').inputValue()).toBe('100');
  });
});

describe('two tabs', () => {
  it('that write one workout lose nothing of each other', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page: first, context } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(first);
    await addExercise(first);
    const second = await context.newPage();
    await second.goto(first.url());
    await group(second, 1).waitFor();
    await first.getByLabel('Title').fill('From the first');
    await group(second, 1).getByLabel('Reps').fill('5');
    await second.getByLabel('Notes').fill('From the second');
    await group(first, 1)
      .getByLabel(/Weight/)
      .fill('70');
    await addExercise(second, 'Back Squat');
    await group(second, 1, 'Back Squat').getByLabel('Reps').fill('3');
    await group(second, 1, 'Back Squat').getByLabel('Done').check();
    await group(first, 1).getByLabel('Done').check();
    await group(first, 1, 'Back Squat').waitFor(); // each shows what the other one writes
    await expect.poll(() => second.getByLabel('Title').inputValue()).toBe('From the first');
    await finish(first);
    await heading(first, 'From the first').waitFor();
    await heading(second, 'Workouts').waitFor(); // the workout is done there, too
    expect(await server.sql('select title, notes from log_workouts where user_id = $1', [phone.id])).toEqual([
      { title: 'From the first', notes: 'From the second' },
    ]);
    expect((await storedSets(server, phone)).map(({ weight, reps }) => [weight, reps])).toEqual([
      [70, 5],
      [null, 3],
    ]);
    await open(first, 'workouts');
    expect(await first.getByText('Not sent yet').count()).toBe(0);
  });

  it('that type at the same moment both keep every letter', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page: first, context } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(first);
    const second = await context.newPage();
    await second.goto(first.url());
    await second.getByLabel('Notes').waitFor();
    await first.getByLabel('Title').fill('');
    const [title, notes] = ['abcdefghijklmnopqrstuvwxyz', 'zyxwvutsrqponmlkjihgfedcba'];
    await Promise.all([
      first.getByLabel('Title').pressSequentially(title),
      second.getByLabel('Notes').pressSequentially(notes),
    ]);
    for (const page of [first, second]) {
      await expect.poll(() => page.getByLabel('Title').inputValue()).toBe(title);
      await expect.poll(() => page.getByLabel('Notes').inputValue()).toBe(notes);
    }
  });

  it('that write the plan lose nothing of each other', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page: first, context } = tab;
    await signIn(server, tab, phone);
    await open(first, 'plan');
    const second = await context.newPage();
    await second.goto(`${server.url}/app/plan`);
    await second.getByRole('button', { name: 'Add split' }).waitFor();
    await first.getByRole('button', { name: 'Add split' }).click();
    await first.getByLabel('Name of the split').fill('Push');
    await second.getByLabel('Name of the plan').fill('Of the second');
    await second.getByLabel('Add an exercise to Push').fill(BENCH);
    await second.getByRole('button', { name: BENCH, exact: true }).click();
    await first.getByLabel(`Reps of each set of ${BENCH}`).waitFor();
    await first.getByLabel('Name of the split').press('Enter');
    await first.getByRole('button', { name: 'Save plan' }).click();
    await first.getByText('The plan is saved').waitFor();
    const stored = `select p.name as plan, s.name as split from workoutplans p join workoutsplits s on s.workout_id = p.id
      where p.user_id = $1`;
    expect(await server.sql(stored, [phone.id])).toEqual([{ plan: 'Of the second', split: 'Push' }]);
  });
});

describe('times', () => {
  const localTime = (date: Date) =>
    new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const daysAgo = (days: number, hour: number) => {
    const date = new Date();
    date.setDate(date.getDate() - days);
    date.setHours(hour, 0, 0, 0);
    return date;
  };

  it('a workout of five days ago is entered, with its own begin and end', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await writeSet(page, BENCH, '70', '8');
    await page.getByLabel('Begin').fill(localTime(daysAgo(5, 18)));
    await page.getByLabel('End').fill(localTime(daysAgo(5, 17)));
    await finish(page);
    await page.getByText('The end must be after the beginning.').waitFor();
    await page.getByLabel('End').fill(localTime(daysAgo(3, 18)));
    await finish(page);
    await page.getByText('A workout lasts 24 hours at most').waitFor();
    await page.getByLabel('End').fill(localTime(daysAgo(5, 19)));
    await finish(page);
    await heading(page, 'Workout').waitFor();
    expect(await server.sql('select started_at, ended_at from log_workouts where user_id = $1', [phone.id])).toEqual([
      { started_at: daysAgo(5, 18), ended_at: daysAgo(5, 19) },
    ]);
  });

  it('one that began long ago gets an end that is likely, and shown', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await signIn(server, tab, phone);
    await beginWorkout(page);
    await writeSet(page, BENCH, '70', '8');
    await page.getByLabel('Begin').fill(localTime(daysAgo(1, 3)));
    await page.getByLabel('Notes').focus();
    expect(await page.getByLabel('End').inputValue()).toBe(localTime(daysAgo(1, 4)));
    await page.getByLabel('Begin').fill(localTime(daysAgo(2, 3)));
    await page.getByLabel('Notes').focus();
    expect(await page.getByLabel('End').inputValue()).toBe(localTime(daysAgo(2, 4))); // it follows
    await finish(page);
    await heading(page, 'Workout').waitFor();
    expect(await server.sql(MINUTES, [phone.id])).toEqual([{ minutes: 60 }]);
  });

  it('one that was left open over night ended when it was last written at', async ({ server, browser }) => {
    const phone = await newPhone(server);
    const opened = await visit(browser);
    const { page } = opened;
    await signIn(server, opened, phone);
    await beginWorkout(page);
    await writeSet(page, BENCH, '70', '8');
    const begin = Date.now() - 1185 * 60_000;
    await rewriteDraft(page, ({ document: workout, ...draft }) => ({
      ...draft,
      document: { ...workout, startedAt: new Date(begin).toISOString() },
      changedAt: new Date(begin + 48 * 60_000).toISOString(),
    }));
    await page.reload();
    await group(page, 1).waitFor();
    await finish(page);
    await page.getByText('has no end').waitFor();
    expect(await storedWorkouts(server, phone)).toEqual([]);
    await finish(page);
    await heading(page, 'Workout').waitFor();
    expect(await server.sql(MINUTES, [phone.id])).toEqual([{ minutes: 48 }]);
    await opened.context.close();
  });

  it('a stored workout keeps an end, and both times can be changed', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await trained(server, phone, [{ weight: 80, unit: 'kg', reps: 5 }]);
    await signIn(server, tab, phone);
    await open(page, 'workouts');
    await page.getByRole('link', { name: 'Before' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    const end = await page.getByLabel('End').inputValue();
    await page.getByLabel('End').fill('');
    await page.getByLabel('Notes').focus();
    expect(await page.getByLabel('End').inputValue()).toBe(end);
    await page.getByLabel('Begin').fill(localTime(daysAgo(8, 10)));
    await page.getByLabel('End').fill(localTime(daysAgo(8, 11)));
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Before').waitFor();
    expect(await server.sql('select started_at, ended_at from log_workouts where user_id = $1', [phone.id])).toEqual([
      { started_at: daysAgo(8, 10), ended_at: daysAgo(8, 11) },
    ]);
  });
});

describe('what the page asks and shows', () => {
  it('what was changed elsewhere meanwhile can be taken over, and is changed then', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await trained(server, phone, [{ weight: 80, unit: 'kg', reps: 5 }]);
    await signIn(server, tab, phone);
    await open(page, 'workouts');
    await page.getByRole('link', { name: 'Before' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.getByLabel('Title').fill('Mine');
    const other = await newOtherSession(server, phone);
    const path = new URL(page.url()).pathname.replace('/app/', '/api/v1/').replace('/edit', '');
    const stored = (await (await other.call('GET', path)).json()) as object;
    expect((await other.call('PUT', path, { ...stored, title: 'Theirs' })).status).toBe(200);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Take the newest' }).click();
    await expect.poll(() => page.getByLabel('Title').inputValue()).toBe('Theirs');
    await page.getByLabel('Notes').fill('Of both');
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Theirs').waitFor();
    expect(await server.sql('select title, notes from log_workouts where user_id = $1', [phone.id])).toEqual([
      { title: 'Theirs', notes: 'Of both' },
    ]);
  });

  it('a new workout asks for nothing that cannot exist, nor does a reload of it', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page, context } = tab;
    const refused: string[] = [];
    context.on('response', (answer) => {
      if (answer.status() >= 400) refused.push(`${answer.status()} ${new URL(answer.url()).pathname}`);
    });
    await signIn(server, tab, phone);
    await page.getByRole('link', { name: 'New workout' }).click();
    await page.getByLabel('Title').waitFor();
    await page.reload();
    await page.getByLabel('Title').waitFor();
    await open(page, 'workouts');
    expect(await page.getByText('Not sent yet').count()).toBe(0); // nothing was written into it
    await page.goBack();
    await page.getByLabel('Title').waitFor();
    expect(refused).toEqual([]);
  });

  it('an equalled record is not a new one', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await trained(server, phone, [{ weight: 100, unit: 'kg', reps: 5 }], 9);
    await trained(server, phone, [{ weight: 100, unit: 'kg', reps: 5 }], 2);
    await signIn(server, tab, phone);
    const first = new Date(Date.now() - 9 * 86_400_000).toLocaleDateString('en-US', {
      dateStyle: 'medium',
      timeZone: 'UTC',
    });
    const record = page.getByRole('listitem').filter({ hasText: BENCH });
    await expect.poll(() => record.innerText()).toContain(first);
    await open(page, `exercises/${await idOf(server, BENCH)}`);
    expect(
      await page
        .getByRole('row', { name: /Heaviest/ })
        .first()
        .innerText(),
    ).toContain(first);
  });

  it('a forgotten password has a way, and links of mails lead to the page', async ({ server, tab }) => {
    const phone = await newPhone(server);
    const { page } = tab;
    await page.goto(`${server.url}/app/sign-in`);
    await page.getByRole('link', { name: 'Forgot password?' }).click();
    await heading(page, 'Forgot password?').waitFor();
    await page.getByLabel('User name or e-mail').fill(phone.username);
    await page.getByRole('button', { name: 'Mail me a link' }).click();
    await page.getByText('a mail is on its way').waitFor();
    await page.goto(linkIn(await server.mailTo(phone.email, 'Reset your password')));
    await page.getByLabel('New password').fill('another horse');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'sign in on the page' }).click();
    await heading(page, 'Sign in').waitFor();
    await signIn(server, tab, { username: phone.username, password: 'another horse' });
    expect(new URL(page.url()).pathname).toMatch(/^\/app\/?$/);
  });
});

describe('where the page cannot work', () => {
  it('a browser whose language Intl does not know shows everything in English', async ({ server, browser, demo }) => {
    const opened = await visit(browser);
    await opened.context.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C', configurable: true }),
    );
    const { page } = opened;
    await signIn(server, opened, demo);
    await page.locator('.chart canvas').waitFor();
    await beginWorkout(page);
    await writeSet(page, BENCH, '82,5', '8');
    expect(opened.complaints).toEqual([]);
    await opened.context.close();
  });

  it('a script that throws while it loads leaves what to do', async ({ server, browser }) => {
    const { page, context } = await visit(browser);
    await page.route('**/app/assets/app-*.js', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({
        response: answer,
        body: `throw new RangeError('Incorrect locale');${await answer.text()}`,
      });
    });
    await page.goto(`${server.url}/app`);
    await page.waitForLoadState('load');
    expect(await page.locator('#app').innerText()).toContain('load the page again');
    await page.unroute('**/app/assets/app-*.js');
    await page.addInitScript(() => Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined }));
    await page.goto(`${server.url}/app`);
    await page.waitForLoadState('load');
    expect(await page.locator('#app').innerText()).toMatch(/load the page again|could not start/);
    await context.close();
  });

  it('charts that cannot be loaded leave their tables, and a screen that throws what to do', async ({
    server,
    browser,
    demo,
  }) => {
    const opened = await visit(browser);
    const { page } = opened;
    await page.route('**/app/assets/uPlot*.js', (route) => route.fulfill({ status: 404, body: '' }));
    await signIn(server, opened, demo);
    await page.getByText('The curve could not be loaded').first().waitFor();
    await page.getByText('Body weight as a table').waitFor();
    await page.route('**/api/v1/records', (route) => route.fulfill({ json: { items: [null] } }));
    await open(page, `exercises/${await idOf(server, BENCH)}`).catch(() => undefined);
    const told = page.getByText('This screen cannot be shown.');
    await told.waitFor();
    expect(await told.isVisible()).toBe(true);
    await opened.context.close();
  });

  it('another address than the public one is named, with the one to open', async ({ server, browser }) => {
    const phone = await newPhone(server);
    const opened = await visit(browser, { viewport: { width: 360, height: 740 } });
    const { page } = opened;
    const { port } = new URL(server.url);
    await page.goto(`http://gym.localhost:${port}/app/sign-in`);
    await page.getByLabel('User name or e-mail').fill(phone.username);
    await page.getByLabel('Password').fill(phone.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    const alert = page.getByRole('alert');
    await alert.getByText(`This server is used at ${server.url}/app only`).waitFor();
    expect(await alert.innerText()).toContain(`PUBLIC_BASE_URL=http://gym.localhost:${port}`);
    expect(await alert.innerText()).not.toContain('DPoP');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await alert.getByRole('link').click();
    await page.waitForURL(`${server.url}/app`);
    await heading(page, 'Sign in').waitFor();
    await opened.context.close();
  });
});
