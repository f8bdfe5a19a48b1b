import { expect } from 'vitest';
import { signedIn } from '#tests/helpers/logbook.ts';
import { withServer } from '#tests/helpers/server.ts';

const it = withServer().extend('person', ({ server }) => signedIn(server));
const defaults = { unit: 'kg', weekStart: 'monday', reminders: { isEnabled: true, minutesBefore: 60 } };

it('a change names what it changes; the rest stays', async ({ server, person }) => {
  const read = async () => (await person.call('GET', '/me')).json();
  const before = (await read()) as { version: number };
  expect(before).toMatchObject({ ...defaults, username: person.phone.username });
  const answer = await person.call('PATCH', '/me', {
    name: 'Sam Doe',
    unit: 'lb',
    weekStart: 'sunday',
    timeZone: 'asia/tokyo',
    reminders: { minutesBefore: 45 },
  });
  const after = (await answer.json()) as { version: number };
  expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${after.version}"`]);
  expect(after).toMatchObject({
    name: 'Sam Doe',
    unit: 'lb',
    weekStart: 'sunday',
    timeZone: 'Asia/Tokyo',
    reminders: { isEnabled: true, minutesBefore: 45 },
  });
  expect(after.version).toBeGreaterThan(before.version);
  expect(await (await person.call('PATCH', '/me', { unit: 'lb' })).json()).toEqual(after);
  const { name } = (await person.app('GET', '/api/users/get')) as { name: string };
  expect(name).toBe('Sam Doe');
  const off = await person.call('PATCH', '/me', { reminders: { isEnabled: false } });
  expect(await off.json()).toMatchObject({ unit: 'lb', reminders: { isEnabled: false, minutesBefore: 45 } });
  const other = await signedIn(server);
  expect(await (await other.call('GET', '/me')).json()).toMatchObject(defaults);
});

it('what the app changes shows here, under another version', async ({ person }) => {
  const read = await person.call('GET', '/me');
  const etag = { 'if-none-match': read.headers.get('etag') ?? '' };
  expect((await person.call('GET', '/me', undefined, etag)).status).toBe(304);
  await person.app('PUT', '/api/users/update', { fullName: 'New Name' });
  expect(await (await person.call('GET', '/me', undefined, etag)).json()).toMatchObject({ name: 'New Name' });
});

it('a change of what is not there any more is refused', async ({ person }) => {
  const read = await person.call('GET', '/me');
  const expected = { 'if-match': read.headers.get('etag') ?? '' };
  expect((await person.call('PATCH', '/me', { unit: 'lb' }, expected)).status).toBe(200);
  expect((await person.call('PATCH', '/me', { unit: 'kg' }, expected)).status).toBe(412);
});

it.for([
  [{ unit: 'st' }, '/unit'],
  [{ weekStart: 'someday' }, '/weekStart'],
  [{ timeZone: 'Mars/Base' }, '/timeZone'],
  [{ name: '' }, '/name'],
  [{ reminders: { minutesBefore: 1441 } }, '/reminders/minutesBefore'],
  [{ reminders: { minutesBefore: 1.5 } }, '/reminders/minutesBefore'],
  [{ email: 'x@example.com' }, ''],
] as const)('%j is refused, and nothing is written', async ([body, pointer], { person }) => {
  const answer = await person.call('PATCH', '/me', { weekStart: 'sunday', ...body });
  const { errors } = (await answer.json()) as { errors: Array<{ pointer: string }> };
  expect([answer.status, errors[0]?.pointer]).toEqual([422, pointer]);
  expect(await (await person.call('GET', '/me')).json()).toMatchObject(defaults);
});
