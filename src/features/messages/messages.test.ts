import { expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { makeProof } from '#tests/helpers/proof.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ server, phone }) => {
    const { accessToken } = await phone.tokens();
    await server.sql('delete from messages where receiver_id = $1', [phone.id]); // the welcome
    return accessToken;
  });

interface Message {
  id: string;
  subject: string;
  sent_at: string;
  is_read: boolean;
}
const list = async (phone: Phone, token: string, tz = 'Asia/Jerusalem') =>
  (
    (await (await phone.get(`/api/messages/getmessages?tz=${encodeURIComponent(tz)}`, token)).json()) as {
      messages: Message[];
    }
  ).messages;
const put = (server: TestServer, phone: Phone, subject: string, at: string, sender: string | null = null) =>
  server.sql<{ id: string }>(
    'insert into messages (sender_id, receiver_id, subject, msg, sent_at) values ($1, $2, $3, $3, $4) returning id',
    [sender, phone.id, subject, at],
  );
const call = (server: TestServer, phone: Phone, token: string, method: string, path: string) =>
  server.fetch(path, {
    method,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken: token }),
      'content-type': 'application/x-www-form-urlencoded',
    },
  });

it('an item has exactly the keys that the app reads; a sender who is gone keeps the place (behaviour 29, DA14)', async ({
  server,
  phone,
  token,
}) => {
  const [system] = await server.sql("select id from users where role = 'System'");
  const [one] = await put(server, phone, 'Hello', '2026-11-22T23:36:59.113Z', system?.id);
  await put(server, phone, 'Gone', '2026-11-20T10:00:00Z');
  expect(await list(phone, token)).toStrictEqual([
    {
      id: one?.id,
      subject: 'Hello',
      msg: 'Hello',
      sent_at: '2026-11-23T01:36:59.113+02:00',
      is_read: false,
      sender_full_name: 'System Bot',
      sender_profile_image_url: 'profile_pics/system-bot/avatar.jpg',
    },
    expect.objectContaining({ subject: 'Gone', sender_full_name: 'Deleted user', sender_profile_image_url: null }),
  ]);
});

it('newest first by the instant, not by the local time (DA13)', async ({ server, phone, token }) => {
  // Clocks in Jerusalem fell back at 23:00Z: both of these are 01:30 local.
  await put(server, phone, 'earlier', '2026-10-24T22:30:00Z');
  await put(server, phone, 'later', '2026-10-24T23:30:00Z');
  expect((await list(phone, token)).map(({ subject, sent_at }) => [subject, sent_at])).toEqual([
    ['later', '2026-10-25T01:30:00.000+02:00'],
    ['earlier', '2026-10-25T01:30:00.000+03:00'],
  ]);
});

it('at most the newest 200 (DA16)', async ({ server, phone, token }) => {
  await server.sql(
    `insert into messages (receiver_id, subject, msg, sent_at)
     select $1, n::text, 'm', now() - n * interval '1 minute' from generate_series(1, 250) n`,
    [phone.id],
  );
  const messages = await list(phone, token);
  expect([messages.length, messages[0]?.subject, messages[199]?.subject]).toEqual([200, '1', '200']);
});

it('is marked as read as often as one likes, and deleted once, softly (DA15)', async ({ server, phone, token }) => {
  const [row] = await put(server, phone, 'Hi', '2026-11-20T10:00:00Z');
  for (let n = 0; n < 2; n++) {
    const read = await call(server, phone, token, 'PUT', `/api/messages/markasread/${row?.id}`);
    expect([read.status, await read.json()]).toEqual([200, { id: row?.id, is_read: true }]);
  }
  expect((await list(phone, token))[0]?.is_read).toBe(true);
  const deleted = await call(server, phone, token, 'DELETE', `/api/messages/delete/${row?.id}`);
  expect([deleted.status, await deleted.json()]).toEqual([200, { id: row?.id }]);
  expect(await list(phone, token)).toEqual([]);
  expect(await server.sql('select deleted_at is not null as soft from messages where id = $1', [row?.id])).toEqual([
    { soft: true },
  ]);
  const again = await call(server, phone, token, 'DELETE', `/api/messages/delete/${row?.id}`);
  expect(await again.json()).toMatchObject({ code: 'MESSAGE_NOT_FOUND', message: 'Message not found.' });
});

it('unknown, foreign, deleted and nonsense ids are 404', async ({ server, phone, token }) => {
  const [foreign] = await put(server, phone, 'Hers', '2026-11-20T10:00:00Z');
  const other = await newPhone(server);
  const otherToken = (await other.tokens()).accessToken;
  for (const id of [foreign?.id, '9954f1f0-0000-4000-8000-000000000000', 'nonsense', "1'--", '%ff']) {
    const read = await call(server, other, otherToken, 'PUT', `/api/messages/markasread/${id}`);
    expect([id, read.status]).toEqual([id, 404]);
    expect((await call(server, other, otherToken, 'DELETE', `/api/messages/delete/${id}`)).status).toBe(404);
  }
  expect((await list(phone, token))[0]?.is_read).toBe(false);
});
