import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { makeProof, type ProofKey } from '../helpers/proof.ts';
import type { TrainedPhone } from './cast.ts';
import { difference, type Expected, isObject, isText, type Judge, learned, show } from './difference.ts';
import { type Account, copyOf, type Span, type World } from './world.ts';

export interface Told {
  status: number;
  headers: IncomingHttpHeaders;
  body: unknown;
}
/** `lost`: it was sent and nobody knows what became of it. `unsent`: nobody was there to take it. */
export type Answer = Told | 'lost' | 'unsent';

/** One way in which a request can end. */
export interface Outcome {
  world: World;
  status: number;
  /** Undefined: any body. */
  body?: Expected;
  /** The first answer to an Idempotency-Key again. */
  isReplay?: true;
}

/** What a person does, and all that can come of it in a world. */
export interface Call {
  says: string;
  /**
   * @param url origin of the instance that gets it
   * @param patienceMs hangs up after so long, where nothing but the database can still be at work then
   */
  send(url: string, patienceMs?: number): Promise<Answer>;
  outcomes(world: World, at: Span): Outcome[];
  /** What the phone keeps of an answer that arrived. */
  keep?(told: Told): void;
  /** All that the person does at that time, as where it may make an account: there might be two. */
  isAlone?: true;
  /** A push token that other people lose by this. */
  takes?: string;
}

export interface Token {
  text: string;
  userId: string;
  version: number;
}

export const sentBody = (body: unknown): string | undefined => (body === undefined ? undefined : JSON.stringify(body));

interface Request {
  method: string;
  /** With its query. */
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer | undefined;
}

/** Longest that any request may take, in milliseconds: a refresh is held for 15 s. */
const LONGEST_MS = 40_000;

/** A request on a connection of its own: a kept one could have been closed just now. @throws when nothing answers */
export function send(
  url: string,
  { method, path, headers = {}, body }: Request,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = httpRequest(`${url}${path}`, {
    method,
    agent: false,
    headers: {
      'x-app-version': '4.5.0',
      accept: 'application/json, text/plain, */*',
      ...(isText(body) ? { 'content-type': 'application/json' } : {}),
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  });
  const timer = setTimeout(
    () => {
      if (patienceMs > LONGEST_MS) reject(new Error(`${method} ${path} got no answer in ${LONGEST_MS} ms`));
      else resolve('lost');
      outgoing.destroy();
    },
    Math.min(patienceMs, LONGEST_MS),
  );
  outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'unsent' : 'lost'));
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => void chunks.push(chunk));
    response.on('error', () => resolve('lost'));
    response.on('close', () => {
      if (!response.complete) resolve('lost');
      else resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(chunks) });
    });
  });
  outgoing.end(body);
  return promise.finally(() => clearTimeout(timer));
}

function parsed(chunks: Buffer[]): unknown {
  const text = Buffer.concat(chunks).toString();
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text; // a page for a browser
  }
}

/** Proof and token of a protected request. */
export function proven(publicUrl: string, key: ProofKey, { method, path }: Request, token: Token | undefined) {
  return {
    dpop: makeProof(key, `${method} ${publicUrl}${path}`, { accessToken: token?.text }),
    ...(token ? { authorization: `DPoP ${token.text}` } : {}),
  };
}

/** The claims of a token; the app never reads them, a model may. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

export function readToken(text: unknown): Token | undefined {
  if (!isText(text)) return undefined;
  const { id, tokenVer } = claimsOf(text);
  return { text, userId: String(id), version: Number(tokenVer) };
}

/** A token of the account's current session, bound to this phone. */
export const tokenFor =
  (account: Account, phone: TrainedPhone, typ: 'access' | 'refresh'): Judge =>
  (actual) => {
    if (!isText(actual)) return `${show(actual)} is no token`;
    const { iat: _iat, exp: _exp, ...claims } = claimsOf(actual);
    const cnf = { jkt: phone.key.thumbprint };
    return difference(
      { typ, id: learned(account, 'id', isText), role: 'User', tokenVer: account.tokenVersion, cnf },
      claims,
      `${typ} token`,
    );
  };

/** The envelope of an error with this code. */
const problem =
  (code: string): Judge =>
  (actual) => {
    if (!isObject(actual) || actual.success !== false || !isText(actual.message) || !isText(actual.requestId)) {
      return `${show(actual)} is no error`;
    }
    return actual.code === code ? undefined : `${show(actual.code)} (${actual.message}) instead of ${code}`;
  };

export const refused = (world: World, status: number, code: string): Outcome => ({
  world,
  status,
  body: problem(code),
});

/**
 * What the guard of protected routes makes of a token (contract 0.9), and then what the route does. A request that was
 * let in goes on when its token is replaced by a refresh meanwhile, and not when its session ends.
 * @param act gets a copy of the world that it may change
 */
export function guarded(
  world: World,
  token: Token | undefined,
  act: (account: Account, next: World) => Outcome[],
): Outcome[] {
  const { account } = world;
  if (!token) return [refused(world, 401, 'ACCESS_TOKEN_MISSING')];
  const dead = refused(world, 401, 'LOGIN_REQUIRED');
  if (!account || account.id !== token.userId) return [dead];
  const isLive = account.tokenVersion === token.version;
  const { letIn } = account;
  const wasLive = letIn?.epoch === account.sessionEpoch && token.version >= letIn.version;
  if (!isLive && !(wasLive && token.version < account.tokenVersion)) return [dead];
  if (!account.isVerified) return [refused(world, 401, 'EMAIL_NOT_VERIFIED')];
  const next = copyOf(world);
  if (!next.account) return [];
  if (isLive) next.account.isVersionUsed = true;
  return [...act(next.account, next), ...(isLive ? [] : [dead])];
}
