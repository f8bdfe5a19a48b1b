import { expect, vi } from 'vitest';
import { demoYears } from '../../examples/demoYears.ts';
import { newOtherSession } from './otherSession.ts';
import { newPhone, type Phone } from './person.ts';
import { makeProof } from './proof.ts';
import type { TestServer } from './server.ts';

const ZONE = 'Europe/Berlin';

/** A person with the two years of the demonstration. */
export async function newDemoPerson(server: TestServer): Promise<Phone> {
  const phone = await newPhone(server);
  const names = await server.sql<{ name: string }>('select name from exercises where owner_id is null');
  const years = demoYears(Date.now(), ZONE, new Set(names.map(({ name }) => name)));
  await importFile(server, phone, 'logbook.json', JSON.stringify(years));
  return phone;
}

/** Imports a file as it is, names that nobody knows as own exercises. */
export async function importFile(server: TestServer, phone: Phone, name: string, text: string): Promise<void> {
  const session = await newOtherSession(server, phone, 'An import');
  const form = new FormData();
  form.append('timeZone', ZONE);
  form.append('file', new Blob([text]), name);
  const { accessToken } = session;
  const url = `${server.url}/api/v1/imports`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `DPoP ${accessToken}`, dpop: makeProof(session.key, `POST ${url}`, { accessToken }) },
    body: form,
  });
  expect(answer.status).toBe(201);
  const { id, exercises } = (await answer.json()) as { id: string; exercises: Array<{ name: string; match: unknown }> };
  const open = exercises.filter(({ match }) => match === null).map(({ name: of }) => [of, 'create']);
  if (open.length > 0) await session.call('PATCH', `/api/v1/imports/${id}`, { mapping: Object.fromEntries(open) });
  expect((await session.call('POST', `/api/v1/imports/${id}/commit`)).status).toBe(202);
  await vi.waitFor(
    async () => {
      const { state } = (await (await session.call('GET', `/api/v1/imports/${id}`)).json()) as { state: string };
      expect(state).toBe('committed');
    },
    { timeout: 30_000, interval: 50 },
  );
  await session.call('DELETE', `/api/v1/sessions/${session.session.id}`);
}
