import { createHash } from 'node:crypto';
import { openSocket } from '../../helpers/phoneSocket.ts';
import {
  type Answer,
  claimsOf,
  guarded,
  type Outcome,
  proven,
  readToken,
  refused,
  send,
  type Token,
  type Told,
  tokenFor,
} from '../call.ts';
import type { TrainedPhone } from '../cast.ts';
import { type Expected, isObject, isText, learned } from '../difference.ts';
import {
  type Account,
  copyOf,
  firstName,
  isFoundBy,
  isLater,
  type Missing,
  newAccount,
  type Provider,
  type Span,
  type World,
} from '../world.ts';
import { asAnybody, asPhone, type Builder, type Deed, pick, type Scene } from './builder.ts';

/** Rotations older than this are past the grace; the stage sets REFRESH_GRACE_SEC to it. */
export const GRACE_SECONDS = 1;

/** What the phone takes from an answer with tokens. */
const keepTokens =
  (phone: TrainedPhone) =>
  ({ status, body }: Told): void => {
    if (status !== 200 || !isObject(body)) return;
    const [access, refresh] = [readToken(body.accessToken), readToken(body.refreshToken)];
    // Of several answers at once the newest counts.
    if (!access || (phone.access && phone.access.userId === access.userId && phone.access.version > access.version))
      return;
    phone.previous = phone.refresh;
    phone.access = access;
    phone.refresh = refresh;
  };

/** The one session of a user starts anew (contract 0.7); the first one ever is greeted. */
function startSession(account: Account, at: Span, isGreeted: boolean): void {
  account.tokenVersion++;
  account.sessionEpoch++;
  account.rotated = null;
  account.isVersionUsed = false;
  if (!isGreeted || !account.isFirstLogin) return;
  account.isFirstLogin = false;
  const subject = `Welcome to Strong Together, ${firstName(account)}!`;
  account.messages.push({ subject, sent: at, isRead: false });
}

const signedIn = (account: Account, phone: TrainedPhone, extra: { [key: string]: Expected } = {}): Expected => ({
  message: 'Login successful',
  user: learned(account, 'id', isText),
  accessToken: tokenFor(account, phone, 'access'),
  refreshToken: tokenFor(account, phone, 'refresh'),
  ...extra,
});

const login: Builder = (scene) => {
  const { account, person, phone, move } = scene;
  if (account && account.password === null) return google(scene);
  const username = account?.username ?? person.usernames[0];
  const identifiers = [username, account?.email ?? username, `${username.toUpperCase()} `, username] as const;
  const identifier = pick(identifiers, move.a);
  const password = move.b % 6 === 5 ? 'not the password' : (account?.password ?? person.passwords[0]);
  return {
    ...asAnybody({
      says: `logs in as ${identifier}${password === 'not the password' ? ' with a wrong password' : ''}`,
      method: 'POST',
      path: '/api/auth/login',
      headers: { 'dpop-key-binding': phone.key.thumbprint },
      body: { identifier, password },
      outcomes: (world, at) => {
        const next = copyOf(world);
        const found = next.account;
        const isTheirs = isFoundBy(found, identifier);
        const unknown = refused(world, 401, 'INVALID_CREDENTIALS');
        if (!found || isTheirs === false || found.password !== password) return [unknown];
        if (!found.isVerified) return [refused(world, 401, 'EMAIL_NOT_VERIFIED')];
        startSession(found, at, true);
        const entered: Outcome = { world: next, status: 200, body: signedIn(found, phone) };
        return isTheirs ? [entered] : [entered, unknown];
      },
      keep: keepTokens(phone),
    }),
  };
};

/** All that a refresh token can do in a world (contract 0.7, refresh grace). */
function refreshed(world: World, token: Token, phone: TrainedPhone, isOwnKey: boolean, at: Span): Outcome[] {
  if (!isOwnKey) return [refused(world, 401, 'DPOP_KEY_MISMATCH')];
  const next = copyOf(world);
  const { account } = next;
  const ended = refused(world, 401, 'LOGIN_REQUIRED');
  if (!account || account.id !== token.userId) return [ended];
  const answered = (): Outcome => ({
    world: next,
    status: 200,
    body: {
      message: 'Access token refreshed',
      accessToken: tokenFor(account, phone, 'access'),
      refreshToken: tokenFor(account, phone, 'refresh'),
      userId: learned(account, 'id', isText),
    },
  });
  if (account.tokenVersion === token.version) {
    account.tokenVersion++;
    account.rotated = at;
    account.isVersionUsed = false;
    return [answered()];
  }
  if (account.tokenVersion !== token.version + 1 || !account.rotated) return [ended];
  if (!account.isVersionUsed) return [answered()];
  const endOfGrace: Span = [account.rotated[0] + GRACE_SECONDS * 1000, account.rotated[1] + GRACE_SECONDS * 1000];
  const isPast = isLater(at, endOfGrace);
  if (isPast === undefined) return [answered(), ended];
  return [isPast ? ended : answered()];
}

const refresh: Builder = ({ person, phone, stage, move }) => {
  const isOwnKey = move.b % 8 !== 7;
  const token = move.a % 2 ? (phone.previous ?? phone.refresh) : phone.refresh;
  if (!token) return undefined;
  const other = person.phones[0] === phone ? person.phones[1] : person.phones[0];
  const { key } = isOwnKey ? phone : other;
  const request = { method: 'POST', path: '/api/auth/refresh' };
  return {
    says: `refreshes with ${token === phone.refresh ? 'the' : 'the previous'} token of version ${token.version}${isOwnKey ? '' : ' by another key'}`,
    send: (url) => {
      const { dpop } = proven(stage.publicUrl, key, request, undefined);
      return send(url, { ...request, headers: { dpop, 'x-refresh-token': `DPoP ${token.text}` } });
    },
    outcomes: (world, at) => refreshed(world, token, phone, isOwnKey, at),
    keep: (told) => {
      keepTokens(phone)(told);
      if (told.status === 401 && isOwnKey && token === phone.refresh) phone.refresh = undefined;
    },
  };
};

const logout: Builder = (scene) => {
  const { person, phone, stage, move } = scene;
  const header = [undefined, phone.refresh?.text, stage.statue.refreshToken][move.a % 3];
  const isForeign = header === stage.statue.refreshToken;
  return asPhone(scene, {
    says: isForeign ? "logs out with somebody else's refresh token" : 'logs out',
    method: 'POST',
    path: '/api/auth/logout',
    headers: header ? { 'x-refresh-token': `Bearer ${header}` } : {},
    body: {},
    outcomes: (world, _at, token) =>
      guarded(world, token, (account, next) => {
        if (isForeign) return [refused(next, 403, 'FORBIDDEN')];
        account.tokenVersion++;
        account.sessionEpoch++;
        account.rotated = null;
        account.isVersionUsed = false;
        account.pushToken = null;
        return [{ world: next, status: 200, body: { message: 'Logged out successfully' } }];
      }),
    keep: ({ status }) => {
      if (status !== 200) return;
      phone.access = undefined;
      if (person.phones.includes(phone) && move.b % 2 === 0) phone.refresh = undefined; // else it tries again later
    },
  });
};

const ticket: Builder = (scene) => {
  const { phone } = scene;
  return asPhone(scene, {
    says: 'asks for a ticket',
    method: 'POST',
    path: '/api/ws/generateticket',
    body: { username: 'whoever' },
    outcomes: (world, _at, token) =>
      guarded(world, token, (account, next) => [
        {
          world: next,
          status: 201,
          body: {
            ticket: (actual) => {
              const claims = isText(actual) ? claimsOf(actual) : {};
              if (claims.id !== account.id) return 'is of somebody else';
              return claims.sessionEpoch === account.sessionEpoch ? undefined : 'is of another session';
            },
          },
        },
      ]),
    keep: ({ status, body }) => {
      if (status === 201 && isObject(body) && isText(body.ticket)) phone.tickets.push(body.ticket);
    },
  });
};

/** Opens a socket with a ticket; 200 stands for a connection, 401 for the refusal that makes the app get a new one. */
const connect: Builder = (scene) => {
  const { phone, move } = scene;
  const held = phone.tickets.at(-1 - (move.a % 2)) ?? phone.tickets.at(-1);
  if (held === undefined) return ticket(scene);
  return {
    says: 'connects a socket',
    send: async (url): Promise<Answer> => {
      const opened = openSocket(url, { ticket: held }, { reconnection: false, timeout: 5_000 });
      try {
        await opened.connected();
        return { status: 200, headers: {}, body: undefined };
      } catch (error) {
        const isRefusal = /(missing|invalid|expired|unauth)/i.test(error instanceof Error ? error.message : '');
        return isRefusal ? { status: 401, headers: {}, body: undefined } : 'unsent';
      } finally {
        opened.socket.disconnect();
      }
    },
    outcomes: (world) => {
      const { account } = world;
      const { id, sessionEpoch } = claimsOf(held);
      const isLive = account?.id === id && account?.isVerified && account.sessionEpoch === sessionEpoch;
      return [{ world, status: isLive ? 200 : 401 }];
    },
  };
};

interface Identity {
  provider: Provider;
  email: string | null;
  /** The name that the account gets; null: missing. Undefined: the username. */
  name: string | null | undefined;
}

/** The account of a proven identity (contract 1.4). Undefined: it would be a second account of the same person. */
function resolved(world: World, { provider, email, name }: Identity): World | undefined {
  const next = copyOf(world);
  const { account } = next;
  const missing = (of: Pick<Account, 'email' | 'name'>): Missing[] => [
    ...(of.email === null ? ['email' as const] : []),
    ...(of.name === null ? ['name' as const] : []),
  ];
  if (!account) {
    const username = email?.split('@')[0]?.replaceAll(/[^a-z0-9_]/g, '');
    const created = newAccount({ provider, email, isVerified: true, ...(username ? { username } : {}) });
    const given = name === undefined ? username : name;
    if (given !== undefined) created.name = given;
    created.links[provider] = missing(created);
    return { account: created };
  }
  if (account.links[provider]) return next;
  if (email === null || account.email !== email) return undefined;
  if (account.isVerified) {
    account.links[provider] = missing(account);
    return next;
  }
  const given = name === undefined ? account.username : name;
  delete account.name;
  if (given !== undefined) account.name = given;
  account.links = { [provider]: missing(account) };
  account.password = null;
  account.passwordEpoch++;
  account.pendingEmail = null;
  account.pushToken = null;
  account.isVerified = true;
  account.provider = provider;
  return next;
}

/** What is missing over all links; null where nothing is. */
export function missingOf({ links }: Account): Missing[] | null {
  const all = Object.values(links).flat();
  const missing = (['email', 'name'] as const).filter((field) => all.includes(field));
  return missing.length > 0 ? missing : null;
}

async function signIn(scene: Scene, provider: Provider) {
  const { account, person, phone, stage, move } = scene;
  const email =
    [account?.email ?? person.addresses[1], null, account?.email ?? person.addresses[2]][move.a % 3] ?? null;
  const isAsserted = move.b % 5 !== 4;
  const googleName = [`${person.firstName} Kay`, `${person.firstName} Kay`, 'Дана'][move.c % 3] ?? '';
  const appleName = [null, { givenName: person.firstName, familyName: 'Kay' }][move.c % 2] ?? null;
  const identity: Identity = {
    provider,
    email: isAsserted ? email : null,
    name:
      provider === 'google'
        ? googleName.startsWith('Д')
          ? null
          : googleName
        : appleName
          ? `${person.firstName} Kay`
          : undefined,
  };
  // Several accounts of one person are no part of the model.
  if (person.worlds.some((world) => resolved(world, identity) === undefined)) return undefined;
  const claims = {
    sub: person.subject,
    ...(email === null ? {} : { email, email_verified: isAsserted }),
    ...(provider === 'google' ? { name: googleName } : { nonce: createHash('sha256').update('nonce').digest('hex') }),
  };
  const idToken = await stage[provider].token(claims);
  const call = asAnybody({
    says: `signs in with ${provider}${identity.email ? ` as ${identity.email}` : ''}`,
    method: 'POST',
    path: `/api/oauth/${provider}`,
    headers: { 'dpop-key-binding': phone.key.thumbprint },
    body: provider === 'google' ? { idToken } : { idToken, rawNonce: 'nonce', name: appleName },
    outcomes: (world, at) => {
      const next = resolved(world, identity);
      if (!next?.account) return [];
      const missing = missingOf(next.account);
      startSession(next.account, at, missing === null);
      const extra: { [key: string]: Expected } = { missingFields: missing };
      if (missing !== null) extra.refreshToken = null;
      return [{ world: next, status: 200, body: signedIn(next.account, phone, extra) }];
    },
    keep: keepTokens(phone),
  });
  return { ...call, isAlone: true as const };
}

const google: Builder = (scene) => signIn(scene, 'google');
const apple: Builder = (scene) => signIn(scene, 'apple');

const proceed: Builder = (scene) => {
  const { phone } = scene;
  return asPhone(scene, {
    says: 'proceeds after completing the profile',
    method: 'POST',
    path: '/api/oauth/proceedauth',
    outcomes: (world, at, token) =>
      guarded(world, token, (account, next) => {
        if (Object.keys(account.links).length === 0) return [refused(next, 404, 'OAUTH_ACCOUNT_NOT_FOUND')];
        if (missingOf(account) !== null) return [refused(next, 409, 'PROFILE_INCOMPLETE')];
        startSession(account, at, true);
        return [{ world: next, status: 200, body: signedIn(account, phone) }];
      }),
    keep: keepTokens(phone),
  });
};

export const sessions = {
  login: { routes: ['POST /api/auth/login'], build: login },
  refresh: { routes: ['POST /api/auth/refresh'], build: refresh },
  logout: { routes: ['POST /api/auth/logout'], build: logout },
  ticket: { routes: ['POST /api/ws/generateticket'], build: ticket },
  connect: { routes: ['POST /api/ws/generateticket'], build: connect },
  google: { routes: ['POST /api/oauth/google'], build: google },
  apple: { routes: ['POST /api/oauth/apple'], build: apple },
  proceed: { routes: ['POST /api/oauth/proceedauth'], build: proceed },
} satisfies Record<string, Deed>;
