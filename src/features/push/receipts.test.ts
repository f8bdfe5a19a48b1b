import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import type { Pusher } from '#platform/push/pusher.ts';
import { fetchReceipts } from './push.service.ts';

/* Many receipts at once, without a server, whose schedule would fetch them too. */

const logged: string[] = [];
const log = buildLog('error', { write: (line) => logged.push(line) });
const name = `receipts_${process.pid}`;
let db: ReturnType<typeof openDatabase>;
let admin: pg.Client;

beforeAll(async () => {
  const url = new URL(inject('superuserUrl'));
  const owner = new pg.Client({ connectionString: url.href });
  await owner.connect();
  await owner.query(`create database ${name} template strong_together owner strong_together`);
  await owner.end();
  url.pathname = `/${name}`;
  admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  const login = new URL(inject('postgresUrl'));
  login.pathname = `/${name}`;
  db = openDatabase({ url: login.href, poolSize: 4, preparedStatements: true, log });
});
afterAll(async () => {
  await db.close();
  await admin.end();
});

it('every ticket that is old enough is asked for once, at most 300 at a time; phones that are gone are forgotten', async () => {
  const [fine, gone] = [randomUUID(), randomUUID()];
  for (const id of [fine, gone]) {
    await admin.query(
      `insert into users (id, username, email, name, password, is_verified, push_token)
       values ($1::uuid, $1::text, $1::text || '@example.com', 'Dana Kay', 'no hash', true, $1::text)`,
      [id],
    );
  }
  // 000 to 699, an hour old; two younger ones.
  await admin.query(
    `insert into push_tickets
     select to_char(n, 'FM000'), $1::uuid, case n when 350 then $2 else $1 end, now() - interval '1 hour'
     from generate_series(0, 699) n`,
    [fine, gone],
  );
  await admin.query(
    `insert into push_tickets values ('000 young', $1::uuid, $1, now()), ('young', $1::uuid, $1, now())`,
    [fine],
  );
  const asked: string[][] = [];
  const pusher: Pusher = {
    send: () => Promise.reject(new Error('nothing is sent')),
    // There is no receipt yet of the last two.
    receipts: async (ids) => {
      asked.push(ids);
      return ids
        .filter((id) => id < '698')
        .map((ticketId) => ({
          ticketId,
          isDeviceGone: ticketId === '350',
          error: ticketId === '350' ? 'DeviceNotRegistered' : null,
        }));
    },
  };
  await fetchReceipts(db, pusher, log, 1800);
  expect(asked.map((ids) => ids.length)).toEqual([300, 300, 100]);
  expect(asked.flat()).toEqual(Array.from({ length: 700 }, (_, n) => String(n).padStart(3, '0')));
  const left = await admin.query('select ticket_id from push_tickets order by ticket_id collate "C"');
  expect(left.rows.map(({ ticket_id }) => ticket_id)).toEqual(['000 young', '698', '699', 'young']);
  const tokens = await admin.query('select id, push_token as token from users where id = any ($1)', [[fine, gone]]);
  expect(Object.fromEntries(tokens.rows.map(({ id, token }) => [id, token]))).toEqual({ [fine]: fine, [gone]: null });
  expect(logged.map((line) => JSON.parse(line).error)).toEqual(['DeviceNotRegistered']);
});
