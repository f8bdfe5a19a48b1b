import { type Answer, bodyOf, failureOf, KeptAnswers } from './answers.ts';
import { type Api, type Traits, traits } from './api.ts';
import { generateKey, type ProofKey, randomId } from './keys.ts';
import { signProof } from './proofs.ts';
import { backoff, pause, waitAfter } from './retries.ts';

export type Method = keyof Api;
export type PathOf<M extends Method> = keyof Api[M] & string;

/** What a call sends: `body`, `query` and `params` as the route declares them, and what any call may say. */
export type Input<M extends Method, P extends PathOf<M>> = InputOf<Api[M][P]> & CallOptions;
/** What a call answers when it succeeds. */
export type Output<M extends Method, P extends PathOf<M>> = OutputOf<Api[M][P]>;

type InputOf<Route> = Route extends { input: infer Sent } ? Sent : never;
type OutputOf<Route> = Route extends { output: infer Answered } ? Answered : never;

export interface CallOptions {
  /** Headers beside those of the client, or instead of them. */
  headers?: Record<string, string>;
  /** Ends the call, with the reason of the signal. */
  signal?: AbortSignal | undefined;
}

export interface ClientOptions {
  /** Where the server is, such as `https://api.example.com`. */
  baseUrl: string;
  /** The key that tokens are bound to; made anew when absent. */
  key?: ProofKey;
  /** A refresh token kept from an earlier run, bound to the same key. */
  refreshToken?: string;
  /** Whether that token is of the phone's session (by default) or of one beside it. */
  session?: SessionKind;
  /** Told of every new refresh token (keep it), and of its end (null). */
  onRefreshToken?: (refreshToken: string | null) => void;
  /** Told of every new pair of tokens, and of their end (null): to hand them to other pages of the same browser. */
  onTokens?: (tokens: Tokens | null) => void;
  /** Runs refreshes, for pages that share a session: one at a time, and none if another has adopted tokens meanwhile. */
  exclusively?: (refresh: () => Promise<void>) => Promise<void>;
  /** Version of your app, such as `4.5.0`: a server may refuse those that are too old for it. */
  appVersion?: string;
  /** How often a request that may safely be repeated is tried again; 2 by default. */
  retries?: number;
  /** How many answers are kept for the time that the server says they are still the same; 20 by default. */
  keptAnswers?: number;
  /** Sends the requests; the platform's own by default. */
  fetch?: typeof fetch;
}

/** Version of the app whose requests and answers these are. */
const APP_VERSION = '4.5.0';
/** Codes of a 401 that a new access token mends. */
const MENDED_BY_REFRESH = ['ACCESS_TOKEN_MISSING', 'ACCESS_TOKEN_INVALID', 'LOGIN_REQUIRED'];
/** Codes of a refused refresh after which no other one will succeed. A wrong clock, say, ends no session. */
const END_OF_SESSION = ['LOGIN_REQUIRED', 'REFRESH_TOKEN_INVALID', 'DPOP_KEY_MISMATCH'];

/** The one session of a phone, or one of those beside it, which work below `/api/v1` only. */
export type SessionKind = 'phone' | 'other';

export interface Tokens {
  accessToken: string;
  refreshToken: string | null;
}

/** A call on its way, the same for every try. */
interface Sent {
  method: string;
  url: string;
  traits: Traits;
  headers: Record<string, string>;
  body: string | FormData | null;
  signal: AbortSignal | undefined;
}

/** A part of the input that only some routes declare. */
interface AnyInput extends CallOptions {
  query?: object;
  params?: object;
  body?: unknown;
  idempotencyKey?: string;
}

/**
 * A phone, signed in or not. Every call makes its proof; an access token that ended is replaced by one refresh, shared
 * by all calls that meet it.
 */
export class StrongTogetherClient {
  readonly #options: ClientOptions;
  readonly #baseUrl: string;
  readonly #retries: number;
  #kept: KeptAnswers;
  #key: Promise<ProofKey> | undefined;
  #accessToken: string | undefined;
  #refreshToken: string | null;
  #session: SessionKind;
  #refreshing: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.#retries = options.retries ?? 2;
    this.#kept = this.#nothingKept();
    this.#key = options.key && Promise.resolve(options.key);
    this.#refreshToken = options.refreshToken ?? null;
    this.#session = options.session ?? 'phone';
  }

  get accessToken(): string | undefined {
    return this.#accessToken;
  }

  get refreshToken(): string | null {
    return this.#refreshToken;
  }

  key(): Promise<ProofKey> {
    this.#key ??= generateKey();
    return this.#key;
  }

  /** Signs in with a password. @returns the user's id */
  async login(identifier: string, password: string): Promise<string> {
    const { user } = await this.call('POST', '/api/auth/login', { body: { identifier, password } });
    return user;
  }

  /** Takes tokens over that another page with the same key has got. */
  adopt({ accessToken, refreshToken }: Tokens): void {
    if (refreshToken === null || this.#refreshToken === null) this.#kept = this.#nothingKept(); // perhaps another person's
    this.#accessToken = accessToken || undefined;
    this.#refreshToken = refreshToken;
  }

  /** Ends the session on the server, then forgets it here, whatever the server said. */
  async logout(): Promise<void> {
    if (this.#session === 'other') return this.#endOther();
    const headers: Record<string, string> = this.#refreshToken
      ? { 'x-refresh-token': `Bearer ${this.#refreshToken}` }
      : {};
    try {
      await this.call('POST', '/api/auth/logout', { headers });
    } finally {
      this.#endSession();
    }
  }

  /** New tokens for the kept refresh token. Calls at the same time share one request. */
  refresh(): Promise<void> {
    const run = this.#options.exclusively ?? ((work) => work());
    const used = this.#accessToken;
    this.#refreshing ??= run(async () => {
      if (this.#accessToken === used) await this.#refresh(); // else others did it, and these are the tokens
    }).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #endOther(): Promise<void> {
    try {
      if (this.#accessToken === undefined && this.#refreshToken !== null) await this.refresh();
      await this.call('DELETE', '/api/v1/sessions/:id', { params: { id: sessionOf(this.#accessToken ?? '') } });
    } finally {
      this.#endSession();
    }
  }

  /**
   * Calls a route; a route that signs in also begins the session here.
   * @throws ApiFailure when the answer is not a success; what `fetch` throws when none came
   */
  async call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...[input]: object extends Input<M, P> ? [Input<M, P>?] : [Input<M, P>]
  ): Promise<Output<M, P>> {
    const sent = this.#prepare(method, path, input ?? {});
    const needsToken = sent.traits.credentials === 'token';
    if (needsToken && this.#accessToken === undefined && this.#refreshToken !== null) await this.refresh();
    const usedToken = this.#accessToken;
    let answer = await this.#exchange(sent);
    const code = answer.status === 401 ? failureOf(answer)?.code : undefined;
    if (needsToken && code && MENDED_BY_REFRESH.includes(code) && this.#refreshToken !== null) {
      // Another call may have refreshed while this one was under way.
      if (this.#accessToken === usedToken) await this.refresh();
      answer = await this.#exchange(sent);
    }
    const body = bodyOf(answer);
    if (sent.traits.tokens) {
      this.#kept = this.#nothingKept(); // what is there may be another person's
      this.#session = path.startsWith('/api/v1/') ? 'other' : 'phone';
      this.#keepTokens(body as Tokens);
    }
    return body as Output<M, P>;
  }

  async #refresh(): Promise<void> {
    const used = this.#refreshToken;
    if (used === null) throw new Error('there is no refresh token: sign in first');
    const headers = { 'x-refresh-token': `DPoP ${used}` };
    const path = this.#session === 'other' ? '/api/v1/sessions/refresh' : '/api/auth/refresh';
    const answer = await this.#exchange(this.#prepare('POST', path, { headers }));
    const failure = failureOf(answer);
    // A session that ended or began in the meantime stays as it is.
    const isCurrent = this.#refreshToken === used;
    if (isCurrent && failure && END_OF_SESSION.includes(failure.code)) this.#endSession();
    const tokens = bodyOf(answer) as Tokens;
    if (isCurrent) this.#keepTokens(tokens);
  }

  #keepTokens({ accessToken, refreshToken }: Tokens): void {
    this.#accessToken = accessToken;
    this.#refreshToken = refreshToken;
    this.#options.onRefreshToken?.(refreshToken);
    this.#options.onTokens?.({ accessToken, refreshToken });
  }

  #endSession(): void {
    this.#accessToken = undefined;
    this.#refreshToken = null;
    this.#kept = this.#nothingKept();
    this.#options.onRefreshToken?.(null);
    this.#options.onTokens?.(null);
  }

  #nothingKept(): KeptAnswers {
    return new KeptAnswers(this.#options.keptAnswers ?? 20);
  }

  #prepare(method: string, path: string, input: AnyInput): Sent {
    const route = traits[`${method} ${path}`] ?? {};
    const headers: Record<string, string> = {
      accept: 'application/json',
      'x-app-version': this.#options.appVersion ?? APP_VERSION,
    };
    if (input.body !== undefined && !route.form) headers['content-type'] = 'application/json';
    if (route.idempotent && this.#retries > 0) headers['idempotency-key'] = randomId();
    if (input.idempotencyKey !== undefined) headers['idempotency-key'] = input.idempotencyKey;
    for (const [name, value] of Object.entries(input.headers ?? {})) headers[name.toLowerCase()] = value;
    const url = this.#baseUrl + withParams(path, input.params) + queryOf(input.query);
    return { method, url, traits: route, headers, body: contentOf(input.body, route), signal: input.signal };
  }

  /** Sends a request until it is answered, as often as that is safe. A 304 is answered by what was kept. */
  async #exchange(sent: Sent): Promise<Answer> {
    const { method, url, signal, traits: route } = sent;
    // A refresh, too: the server answers it again when its answer was lost.
    const isKeyed = route.idempotent && 'idempotency-key' in sent.headers;
    const isRepeatable = method === 'GET' || route.credentials === 'proof' || isKeyed;
    const most = isRepeatable ? 1 + this.#retries : 1;
    // Those of this session: another one may have begun before the answer is here.
    const answers = method === 'GET' && route.credentials === 'token' ? this.#kept : undefined;
    const kept = answers?.find(url);
    for (let tries = 1; ; tries++) {
      const condition = kept && { 'if-none-match': kept.etag };
      const headers = { ...condition, ...(await this.#credentials(sent)), ...sent.headers };
      let wait = backoff(tries);
      try {
        const answer = await this.#send({ ...sent, headers });
        if (kept && answer.status === 304) return kept.answer;
        const asked = tries < most ? waitAfter(answer, tries) : undefined;
        if (asked === undefined) {
          answers?.keep(url, answer);
          return answer;
        }
        wait = asked;
      } catch (error) {
        if (tries >= most || signal?.aborted) throw error;
      }
      await pause(wait, signal);
    }
  }

  async #send({ method, url, headers, body, signal, traits }: Sent): Promise<Answer> {
    const send = this.#options.fetch ?? fetch;
    // What is kept is kept here: a browser's own cache does not know whose answer it is.
    const response = await send(url, { method, headers, body, cache: 'no-store', ...(signal && { signal }) });
    const { status, headers: answered } = response;
    if (traits.bytes && status === 200) return { status, headers: answered, text: '', blob: await response.blob() };
    return { status, headers: answered, text: await response.text() };
  }

  /** Headers that show who calls; a proof is good for one request. */
  async #credentials({ method, url, traits: { credentials } }: Sent): Promise<Record<string, string>> {
    if (!credentials) return {};
    const key = await this.key();
    if (credentials === 'binding') return { 'dpop-key-binding': key.thumbprint };
    const accessToken = credentials === 'token' ? this.#accessToken : undefined;
    const dpop = await signProof(key, { method, url, accessToken });
    return accessToken ? { dpop, authorization: `DPoP ${accessToken}` } : { dpop };
  }
}

/** Id of the session beside the phone that an access token names. */
function sessionOf(accessToken: string): string {
  const [, payload = ''] = accessToken.split('.');
  return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))).sid;
}

function withParams(path: string, params: object = {}): string {
  const values = params as Record<string, unknown>;
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function queryOf(query: object = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
  return text && `?${text}`;
}

function contentOf(body: unknown, route: Traits): string | FormData | null {
  if (body === undefined) return null;
  if (!route.form) return JSON.stringify(body);
  const form = new FormData();
  for (const [name, value] of Object.entries(body as object)) form.append(name, value);
  return form;
}
