import { type DeviceKey, generateKey } from './keys.ts';
import type { Input, Method, Output, PathOf } from './operations.ts';
import { signProof } from './proofs.ts';

export { type DeviceKey, generateKey } from './keys.ts';
export type { Input, Output } from './operations.ts';
export { signProof } from './proofs.ts';

/** An answer that is not a success. `message` is meant for a person, `code` for a program. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly errors: Array<{ path: string; message: string }>;

  constructor(status: number, body: Partial<ApiFailure>) {
    super(body.message ?? `The server answered ${status}`);
    this.status = status;
    this.code = body.code ?? 'UNKNOWN';
    this.requestId = body.requestId ?? '';
    this.errors = body.errors ?? [];
  }
}

export interface ClientOptions {
  /** Origin of the server, such as `https://api.example.com`. */
  baseUrl: string;
  /** The phone's key; made anew when absent. */
  key?: DeviceKey;
  /** A refresh token kept from an earlier run, bound to the same key. */
  refreshToken?: string;
  /** Sent as X-App-Version. */
  appVersion?: string;
  /** Told of every new refresh token (keep it), and of its end (null). */
  onRefreshToken?: (refreshToken: string | null) => void;
}

interface Tokens {
  accessToken: string;
  refreshToken: string | null;
}

/** Sign-ins name the key instead of proving it. */
const SIGN_INS = ['/api/auth/login', '/api/oauth/google', '/api/oauth/apple'];

/**
 * A signed-in phone. Every call makes its proof; a 401 is answered by one refresh, shared by all
 * calls that meet it, and a repetition.
 */
export class StrongTogetherClient {
  readonly #options: ClientOptions;
  #key: Promise<DeviceKey> | undefined;
  #accessToken: string | undefined;
  #refreshToken: string | null;
  #refreshing: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#key = options.key && Promise.resolve(options.key);
    this.#refreshToken = options.refreshToken ?? null;
  }

  get accessToken(): string | undefined {
    return this.#accessToken;
  }

  get refreshToken(): string | null {
    return this.#refreshToken;
  }

  key(): Promise<DeviceKey> {
    this.#key ??= generateKey();
    return this.#key;
  }

  /** Signs in with a password. @returns the user's id */
  async login(identifier: string, password: string): Promise<string> {
    const session = await this.call('POST', '/api/auth/login', { body: { identifier, password } });
    this.#keep(session);
    return session.user;
  }

  /** Ends the session on the server, then forgets the tokens here, whatever the server said. */
  async logout(): Promise<void> {
    try {
      const headers = this.#refreshToken ? { 'x-refresh-token': `Bearer ${this.#refreshToken}` } : {};
      await this.call('POST', '/api/auth/logout', { headers });
    } finally {
      this.#accessToken = undefined;
      this.#refreshToken = null;
      this.#options.onRefreshToken?.(null);
    }
  }

  /** New tokens for the kept refresh token. Calls at the same time share one request. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /**
   * Calls a route. Types come from the server's declarations.
   * @throws ApiFailure when the answer is not a success
   */
  async call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...[input]: object extends Input<M, P> ? [Input<M, P>?] : [Input<M, P>]
  ): Promise<Output<M, P>> {
    const sent: Sent = { method, path, ...input };
    const usedToken = this.#accessToken;
    let response = await this.#send(sent);
    const mayRefresh = response.status === 401 && this.#refreshToken !== null && !SIGN_INS.includes(path);
    if (mayRefresh) {
      // Another call may have refreshed while this one was under way.
      if (this.#accessToken === usedToken) await this.refresh();
      response = await this.#send(sent);
    }
    return (await read(response)) as Output<M, P>;
  }

  async #refresh(): Promise<void> {
    const headers = { 'x-refresh-token': `DPoP ${this.#refreshToken}` };
    const response = await this.#send({ method: 'POST', path: '/api/auth/refresh', headers }, false);
    if (response.status === 401) {
      this.#refreshToken = null;
      this.#options.onRefreshToken?.(null);
    }
    this.#keep((await read(response)) as Tokens);
  }

  #keep({ accessToken, refreshToken }: Tokens): void {
    this.#accessToken = accessToken;
    this.#refreshToken = refreshToken;
    this.#options.onRefreshToken?.(refreshToken);
  }

  async #send(sent: Sent, authorized = true): Promise<Response> {
    const key = await this.key();
    const url = new URL(withParams(sent.path, sent.params), this.#options.baseUrl);
    for (const [name, value] of Object.entries(sent.query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const accessToken = authorized ? this.#accessToken : undefined;
    const headers: Record<string, string> = {
      accept: 'application/json',
      'x-app-version': this.#options.appVersion ?? '4.5.0',
      ...(SIGN_INS.includes(sent.path)
        ? { 'dpop-key-binding': key.thumbprint }
        : { dpop: await signProof(key, { method: sent.method, url: url.href, accessToken }) }),
      ...(accessToken ? { authorization: `DPoP ${accessToken}` } : {}),
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    };
    const body = sent.body === undefined ? null : JSON.stringify(sent.body);
    return fetch(url, { method: sent.method, headers, body });
  }
}

interface Sent {
  method: string;
  path: string;
  query?: unknown;
  params?: unknown;
  body?: unknown;
  headers?: Record<string, string>;
}

function withParams(path: string, params: unknown): string {
  const values = (params ?? {}) as Record<string, unknown>;
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body: unknown = isJson && text ? JSON.parse(text) : text || undefined;
  if (response.ok) return body;
  throw new ApiFailure(response.status, typeof body === 'object' && body !== null ? body : {});
}
