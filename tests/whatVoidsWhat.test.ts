import { randomUUID } from 'node:crypto';
import { describe, expect, vi } from 'vitest';
import { buildOutbox } from '#outbox/outbox.ts';
import { buildLog } from '#platform/log.ts';
import type { MailboxEntry } from '#platform/mail/mailbox.ts';
import { type Database, openDatabase } from '#platform/postgres/database.ts';
import { adminLink } from '#src/cli/adminLink.ts';
import { type FakeProvider, startProvider } from './fakes/identityProvider.ts';
import { documentTable } from './helpers/documentTable.ts';
import { newOtherSession, postSession } from './helpers/otherSession.ts';
import { newPhone, type Phone, type Tokens } from './helpers/person.ts';
import { openSocket, ticketOf } from './helpers/phoneSocket.ts';
import { makeProof, proofKey } from './helpers/proof.ts';
import { fixtures, linkIn, startTestServer, type TestServer } from './helpers/server.ts';

/*
 * What an event voids of what was begun before it, and what it leaves alone: a table, and a test a cell.
 */

interface Person {
  phone: Phone;
  tokens: Tokens;
  email: string;
}

interface Fixtures {
  server: TestServer;
  google: FakeProvider;
  db: Database;
}

type Fate = 'void' | 'kept';
/** Looks whether the thing still works. */
type Look = () => Promise<Fate>;

const it = fixtures
  .extend('google', { scope: 'file' }, ({ untilEnd }) =>
    untilEnd(startProvider('https://accounts.google.com', 'google-app')),
  )
  .extend('server', { scope: 'file' }, ({ untilEnd, google }) =>
    untilEnd(startTestServer({ env: { GOOGLE_JWKS_URL: google.url, GOOGLE_ALLOWED_AUDS: 'google-app' } })),
  )
  // For the command that prints links to the operator's console.
  .extend('db', { scope: 'file' }, ({ server }, { onCleanup }) => {
    const db = openDatabase({ url: server.databaseUrl, poolSize: 2, preparedStatements: true, log });
    onCleanup(() => db.close());
    return db;
  });
const log = buildLog('silent');

async function newPerson(server: TestServer): Promise<Person> {
  const phone = await newPhone(server);
  return { phone, tokens: await phone.tokens(), email: `${phone.username}@example.com` };
}

const json = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** A request with the person's access token. */
function as(
  server: TestServer,
  { phone, tokens: { accessToken } }: Person,
  method: string,
  path: string,
  body: unknown = {},
) {
  const dpop = makeProof(phone.key, `${method} ${server.url}${path}`, { accessToken });
  return server.fetch(path, json(method, body, { authorization: `DPoP ${accessToken}`, dpop }));
}

async function expectStatus(response: Promise<Response>, status: number): Promise<void> {
  expect((await response).status).toBe(status);
}

const setVerified = (server: TestServer, { phone }: Person, isVerified: boolean) =>
  server.sql('update users set is_verified = $2 where id = $1', [phone.id, isVerified]);

/** The mail that a request causes; others with this subject may have come before. */
async function mailAfter(
  server: TestServer,
  address: string,
  subject: string,
  request: () => Promise<void>,
): Promise<MailboxEntry> {
  const before = new Set((await server.mails(address, subject)).map(({ id }) => id));
  await request();
  const mails = await server.mails(address, subject, before.size + 1);
  return mails.find(({ id }) => !before.has(id)) as MailboxEntry;
}
const tokenIn = (mail: MailboxEntry) => new URL(linkIn(mail)).searchParams.get('token');

const askForReset = (server: TestServer, { email }: Person) =>
  mailAfter(server, email, 'Reset your password', () =>
    expectStatus(server.fetch('/api/auth/forgotpassemail', json('POST', { identifier: email })), 204),
  );
const resetWith = (server: TestServer, mail: MailboxEntry) =>
  server.fetch(`/api/auth/resetpassword?token=${tokenIn(mail)}`, json('PUT', { newPassword: 'another secret' }));
const askForChange = (server: TestServer, person: Person, email: string) =>
  mailAfter(server, email, 'Confirm your Strong Together Email', () =>
    expectStatus(as(server, person, 'PUT', '/api/users/updateself', { email }), 200),
  );
const askForVerification = (server: TestServer, { email }: Person) =>
  mailAfter(server, email, 'Confirm your Strong Together account', () =>
    expectStatus(server.fetch('/api/auth/sendverificationemail', json('POST', { email })), 204),
  );
async function signInWithGoogle(
  server: TestServer,
  google: FakeProvider,
  claims: Record<string, unknown>,
): Promise<string> {
  const idToken = await google.token({ name: 'Dana Kay', ...claims });
  const headers = { 'dpop-key-binding': proofKey().thumbprint };
  const response = await server.fetch('/api/oauth/google', json('POST', { idToken }, headers));
  expect(response.status).toBe(200);
  return ((await response.json()) as { user: string }).user;
}

const EVENTS = {
  logout: (person: Person, { server }: Fixtures) => expectStatus(as(server, person, 'POST', '/api/auth/logout'), 200),
  'a sign-in elsewhere': ({ phone }: Person) => expectStatus(phone.login(), 200),
  'a refresh': ({ phone, tokens }: Person) => expectStatus(phone.refresh(tokens.refreshToken), 200),
  'a password reset': async (person: Person, { server }: Fixtures) =>
    expectStatus(resetWith(server, await askForReset(server, person)), 200),
  // By a session beside the phone: the phone's goes with the others.
  'a changed password': async ({ phone }: Person, { server }: Fixtures) => {
    const other = await newOtherSession(server, phone);
    const body = { password: phone.password, newPassword: 'another secret' };
    await expectStatus(other.call('PUT', '/api/v1/me/password', body), 204);
  },
  'a corrected address': async (person: Person, { server }: Fixtures) => {
    await setVerified(server, person, false);
    const { username, password } = person.phone;
    const body = { username, password, newEmail: `right_${person.email}` };
    await expectStatus(server.fetch('/api/auth/changeemailverify', json('PUT', body)), 204);
  },
  'a changed address': async (person: Person, { server }: Fixtures) =>
    expectStatus(fetch(linkIn(await askForChange(server, person, `new_${person.email}`))), 200),
  'a take-over by the proven owner': async (person: Person, { server, google }: Fixtures) => {
    await setVerified(server, person, false);
    expect(await signInWithGoogle(server, google, { email: person.email, email_verified: true })).toBe(person.phone.id);
  },
  'the deletion of the account': (person: Person, { server }: Fixtures) =>
    expectStatus(as(server, person, 'DELETE', '/api/users/deleteself'), 200),
};
type Event = keyof typeof EVENTS;

/** 200 or 201: it still works; 4xx: it does not. */
const fateBy = async (response: Promise<Response>): Promise<Fate> => {
  const { status } = await response;
  expect([200, 201, 400, 401, 403]).toContain(status);
  return status < 300 ? 'kept' : 'void';
};

/** Whether one column of the person's row has this value still. */
async function fateOfColumn(
  server: TestServer,
  { phone }: Person,
  column: 'push_token' | 'pending_email',
  value: string,
): Promise<Fate> {
  const [row] = await server.sql(`select ${column} as value from users where id = $1`, [phone.id]);
  return row?.value === value ? 'kept' : 'void';
}

/** A mail that was asked for and has not gone out: its turn comes when it is looked at. */
const waitingMail =
  (kind: string, payload: (person: Person) => object, { wantsUnverified = false } = {}) =>
  async (person: Person, { server }: Fixtures): Promise<Look> => {
    const [row] = await server.sql<{ id: string }>(
      `insert into outbox (kind, user_id, payload, dedupe_key, next_attempt_at, expires_at)
       values ($1, $2, $3, $4, now() + interval '1 hour', now() + interval '2 hours') returning id`,
      [kind, person.phone.id, payload(person), randomUUID()],
    );
    return async () => {
      if (wantsUnverified) await setVerified(server, person, false);
      await server.sql("update outbox set next_attempt_at = now() where id = $1 and status = 'pending'", [row?.id]);
      return vi.waitFor(
        async () => {
          const [intent] = await server.sql<{ status: string }>('select status from outbox where id = $1', [row?.id]);
          expect(intent?.status).not.toBe('pending');
          return intent?.status === 'sent' ? 'kept' : 'void';
        },
        { timeout: 30_000, interval: 25 },
      );
    };
  };

/** How each thing is begun before the event, and looked at after it. */
const THINGS = {
  'the access token':
    async ({ phone, tokens }: Person): Promise<Look> =>
    () =>
      fateBy(phone.get('/api/users/get', tokens.accessToken)),
  'the refresh token':
    async ({ phone, tokens }: Person): Promise<Look> =>
    () =>
      fateBy(phone.refresh(tokens.refreshToken)),
  'a socket ticket': async ({ phone, tokens }: Person, { server }: Fixtures): Promise<Look> => {
    const ticket = await ticketOf(phone, tokens.accessToken);
    return () => fateOfTicket(server, ticket);
  },
  'an open socket': async ({ phone, tokens }: Person, { server }: Fixtures): Promise<Look> => {
    const ticket = await ticketOf(phone, tokens.accessToken);
    const { socket } = await openSocket(server.url, { ticket }, { reconnection: false }).connected();
    return async () => {
      try {
        // What a ticket of the same session may do, its socket may, too; a socket that must end is told so soon.
        if ((await fateOfTicket(server, ticket)) === 'kept') return socket.connected ? 'kept' : 'void';
        return await vi.waitFor(
          () => {
            expect(socket.connected).toBe(false);
            return 'void' as const;
          },
          { timeout: 10_000 },
        );
      } finally {
        socket.disconnect();
      }
    };
  },
  'a session beside the phone': async ({ phone }: Person, { server }: Fixtures): Promise<Look> => {
    const other = await newOtherSession(server, phone);
    return () => fateBy(other.call('GET', '/api/v1/sessions'));
  },
  'a mailed code': async ({ phone, email }: Person, { server }: Fixtures): Promise<Look> => {
    const mail = await mailAfter(server, email, 'Your Strong Together sign-in code', () =>
      expectStatus(postSession(server, '/code', proofKey(), { email }), 204),
    );
    const code = /\b\d{8}\b/.exec(mail.text)?.[0];
    return async () => {
      const [row] = await server.sql<{ email: string }>('select email from users where id = $1', [phone.id]);
      return fateBy(postSession(server, '', proofKey(), { email: row?.email ?? email, code }));
    };
  },
  'a verification link': async (person: Person, { server }: Fixtures): Promise<Look> => {
    await setVerified(server, person, false);
    const link = linkIn(await askForVerification(server, person));
    await setVerified(server, person, true); // for events that need a session
    return async () => {
      await setVerified(server, person, false);
      return fateBy(fetch(link));
    };
  },
  'a reset link': async (person: Person, { server }: Fixtures): Promise<Look> => {
    const mail = await askForReset(server, person);
    return () => fateBy(resetWith(server, mail));
  },
  'a link to a new address': async (person: Person, { server }: Fixtures): Promise<Look> => {
    const link = linkIn(await askForChange(server, person, `pending_${person.email}`));
    return () => fateBy(fetch(link));
  },
  'the pending address': async (person: Person, { server }: Fixtures): Promise<Look> => {
    const address = `pending_${person.email}`;
    await askForChange(server, person, address);
    return () => fateOfColumn(server, person, 'pending_email', address);
  },
  'the push token': async (person: Person, { server }: Fixtures): Promise<Look> => {
    const token = `ExponentPushToken[${person.phone.id}]`;
    await expectStatus(as(server, person, 'PUT', '/api/users/pushtoken', { token }), 204);
    return () => fateOfColumn(server, person, 'push_token', token);
  },
  'an idempotent answer': async ({ phone, tokens }: Person, { server }: Fixtures): Promise<Look> => {
    const record = { type: 'Walk', durationMins: 5 };
    const key = { 'idempotency-key': randomUUID() };
    await expectStatus(phone.post('/api/aerobics/add', tokens.accessToken, { record }, key), 201);
    return async () => {
      const kept = await server.sql('select 1 from idempotency_keys where user_id = $1', [phone.id]);
      return kept.length > 0 ? 'kept' : 'void';
    };
  },
  'a verification mail that waits': waitingMail('mail.verification', ({ email }) => ({ email }), {
    wantsUnverified: true,
  }),
  'a reset mail that waits': waitingMail('mail.reset', () => ({})),
  'a mail to a new address that waits': async (person: Person, fixtures: Fixtures): Promise<Look> => {
    const newEmail = `pending_${person.email}`;
    await fixtures.server.sql('update users set pending_email = $2 where id = $1', [person.phone.id, newEmail]);
    return waitingMail('mail.email-change', () => ({ newEmail }))(person, fixtures);
  },
  'the cookie of the admin console': async ({ phone }: Person, { server, db }: Fixtures): Promise<Look> => {
    const said: string[] = [];
    const args = ['--user', phone.username, '--grant'];
    const say = (line: string) => said.push(line);
    await adminLink({
      config: server.config,
      db,
      ownerUrl: server.databaseUrl,
      log,
      outbox: buildOutbox(),
      args,
      say,
      progress: say,
    });
    const browser = { accept: 'text/html', 'user-agent': 'Mozilla/5.0' };
    const signIn = await fetch(said.at(-1) ?? '', { redirect: 'manual', headers: browser });
    const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const open = () => fetch(`${server.url}/admin/queues/api/queues`, { headers: { ...browser, cookie } });
    await expectStatus(open(), 200);
    return () => fateBy(open());
  },
  'the password': async (person: Person, { server }: Fixtures): Promise<Look> => {
    return async () => {
      await setVerified(server, person, true);
      return fateBy(person.phone.login());
    };
  },
  'a link to a provider': async ({ phone }: Person, { server, google }: Fixtures): Promise<Look> => {
    const sub = randomUUID();
    await server.sql('insert into oauth_accounts (user_id, provider, provider_user_id) values ($1, $2, $3)', [
      phone.id,
      'google',
      sub,
    ]);
    return async () => ((await signInWithGoogle(server, google, { sub })) === phone.id ? 'kept' : 'void');
  },
};
type Thing = keyof typeof THINGS;

async function fateOfTicket(server: TestServer, ticket: string): Promise<Fate> {
  const opened = openSocket(server.url, { ticket }, { reconnection: false });
  try {
    return await opened.connected().then(
      () => 'kept' as const,
      (error: Error) => {
        expect(error.message).toMatch(/^(Invalid or expired ticket|Unauthorized)$/);
        return 'void' as const;
      },
    );
  } finally {
    opened.socket.disconnect();
  }
}

/** The columns of the table in docs/security.md. */
const COLUMNS: Record<Event, string> = {
  logout: 'logout',
  'a sign-in elsewhere': 'sign-in elsewhere',
  // The old refresh token works for a while longer, with the same key.
  'a refresh': 'refresh',
  // A link that was made through the address that the account still has is not what a thief began.
  'a password reset': 'password reset',
  'a changed password': 'password changed (6.5)',
  // A reset mail that waits goes to the address that is the account's by then.
  'a corrected address': 'address corrected',
  'a changed address': 'address changed',
  // As if an operator had taken the verification of a used account back: whatever is there goes.
  'a take-over by the proven owner': 'taken over by its owner',
  'the deletion of the account': 'deletion',
};

/** Its rows. */
const ROWS: Record<Thing, string> = {
  'the access token': 'access token',
  'the refresh token': 'refresh token',
  'a socket ticket': 'socket ticket, open socket',
  'an open socket': 'socket ticket, open socket',
  'a session beside the phone': 'session beside the phone',
  'a mailed code': 'mailed code',
  'a verification link': 'verification link',
  'a reset link': 'reset link',
  'a link to a new address': 'e-mail-change link, pending address',
  'the pending address': 'e-mail-change link, pending address',
  'the push token': 'push token',
  'an idempotent answer': 'answers kept for an Idempotency-Key',
  'a verification mail that waits': 'verification mail that waits',
  'a reset mail that waits': 'reset mail that waits',
  'a mail to a new address that waits': 'mail to a new address that waits',
  'the cookie of the admin console': 'link and cookie of the console',
  'the password': 'password',
  'a link to a provider': 'linked sign-ins',
};

const DOCUMENTED = documentTable('security.md', '', 'logout');
/** What the first sign of a cell means; null: there is nothing to end, because an account that is not verified has no session. */
const FATES: Record<string, Fate | null> = { '●': 'void', '○': 'kept', '–': null };

const CELLS = Object.keys(COLUMNS).flatMap((event) =>
  Object.keys(ROWS).map((thing) => {
    const cell = DOCUMENTED.find((row) => row[''] === ROWS[thing as Thing])?.[COLUMNS[event as Event]] ?? '';
    return [event as Event, thing as Thing, FATES[cell.slice(0, 1)]] as const;
  }),
);

it('every cell of the table is tried', () => {
  expect(CELLS.filter(([, , fate]) => fate === undefined)).toEqual([]);
  expect(new Set(DOCUMENTED.map((row) => row['']))).toEqual(new Set(Object.values(ROWS)));
  expect(new Set(DOCUMENTED.flatMap((row) => Object.keys(row)))).toEqual(new Set(['', ...Object.values(COLUMNS)]));
});

// At the same time, because a cell mostly waits: for a mail, a turn, a hash.
describe.concurrent('what voids what', () => {
  it.for(CELLS.filter(([, , wanted]) => wanted !== null))(
    '%s: %s is %s',
    async ([event, thing, wanted], { server, google, db }) => {
      const person = await newPerson(server);
      const look = await THINGS[thing](person, { server, google, db });
      await EVENTS[event](person, { server, google, db });
      expect(await look()).toBe(wanted);
    },
  );
});

describe('a pending address is not a way back in', () => {
  it('for a thief whose session ended with a password reset', async ({ server }) => {
    const person = await newPerson(server);
    const { phone, email } = person;
    const thief = `thief_${email}`;
    const link = linkIn(await askForChange(server, person, thief));
    await expectStatus(resetWith(server, await askForReset(server, person)), 200);
    const opened = await fetch(link);
    expect([opened.status, /<h1>(.*)<\/h1>/.exec(await opened.text())?.[1]]).toEqual([401, 'Email Not Changed']);
    const row = 'select email, pending_email from users where id = $1';
    expect(await server.sql(row, [phone.id])).toEqual([{ email, pending_email: null }]);
    // The thief asks for a new password by mail: nothing is written for the owner's account, so nothing is sent.
    await expectStatus(server.fetch('/api/auth/forgotpassemail', json('POST', { identifier: thief })), 204);
    const resets = "select 1 from outbox where user_id = $1 and kind = 'mail.reset'";
    expect(await server.sql(resets, [phone.id])).toHaveLength(1); // the owner's own
  });

  it('nor is a sign-in that was linked while the account had another address', async ({ server, google }) => {
    const person = await newPerson(server);
    const { phone, email } = person;
    const thief = `thief_${email}`;
    await expectStatus(fetch(linkIn(await askForChange(server, person, thief))), 200);
    const claims = { sub: `thief of ${email}`, email: thief, email_verified: true };
    expect(await signInWithGoogle(server, google, claims)).toBe(phone.id);
    // The owner takes the address back, and resets the password.
    const back = { ...person, tokens: await phone.tokens() };
    await expectStatus(fetch(linkIn(await askForChange(server, back, email))), 200);
    await expectStatus(resetWith(server, await askForReset(server, person)), 200);
    expect(await signInWithGoogle(server, google, claims)).not.toBe(phone.id);
  });

  it('and of the mails that waited, a reset lets none go out: only the notice does', async ({ server, google, db }) => {
    const person = await newPerson(server);
    const { phone, email } = person;
    const reset = await askForReset(server, person);
    const waiting = await Promise.all([
      THINGS['a verification mail that waits'](person, { server, google, db }),
      THINGS['a reset mail that waits'](person, { server, google, db }),
      THINGS['a mail to a new address that waits'](person, { server, google, db }),
    ]);
    await expectStatus(resetWith(server, reset), 200);
    await server.mailTo(email, 'Your Strong Together password was changed');
    for (const look of waiting) expect(await look()).toBe('void');
    const sent = "select kind from outbox where user_id = $1 and status = 'sent' order by kind";
    await vi.waitFor(async () =>
      expect(await server.sql(sent, [phone.id])).toEqual([{ kind: 'mail.password-changed' }, { kind: 'mail.reset' }]),
    );
  });
});
