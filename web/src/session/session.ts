import { ApiFailure, keyFromPair, StrongTogetherClient, type Tokens } from '@strong-together/client';
import { clear, load, remove, save } from './database.ts';

export type Client = Pick<StrongTogetherClient, 'call'>;

export interface Session {
  client: StrongTogetherClient;
  /** Whose session it is, or was last. */
  userId(): string;
  isSignedIn(): boolean;
  /** Told when the session begins or ends, here or in another tab. @returns a function that stops that */
  onChange(told: (isSignedIn: boolean) => void): () => void;
  /** Ends the session on the server and forgets it here. */
  signOut(): Promise<void>;
}

type Message = { kind: 'asked' } | { kind: 'tokens'; tokens: Tokens } | { kind: 'ended' };

/** How long another tab may take to hand over its tokens, in milliseconds. */
const HAND_OVER_MS = 150;

/**
 * The session of this browser, shared by its tabs. The private key cannot leave WebCrypto; access tokens are in memory only,
 * and go from tab to tab by a channel of this origin. One tab refreshes at a time.
 */
export async function openSession(): Promise<Session> {
  const pair = await navigator.locks.request(
    'key',
    async () => (await load<CryptoKeyPair>('session', 'key')) ?? (await makeKey()),
  );
  const kept = await load<string>('session', 'refreshToken');
  const channel = new BroadcastChannel('strong-together');
  const listeners = new Set<(isSignedIn: boolean) => void>();
  let saving: Promise<unknown> = Promise.resolve();
  let adopted = Promise.withResolvers<void>();
  let wasSignedIn = kept !== undefined;
  let userId = (await load<string>('session', 'userId')) ?? '';

  /** What the person before chose is not the next one's. */
  async function noteOwner({ accessToken }: Tokens): Promise<void> {
    const next = subjectOf(accessToken);
    if (next === '' || next === userId) return;
    const isAnother = userId !== '';
    userId = next;
    if (isAnother) await clear('choices');
    await save('session', 'userId', next);
  }

  function tell(): void {
    const isSignedIn = client.refreshToken !== null;
    if (isSignedIn === wasSignedIn) return;
    wasSignedIn = isSignedIn;
    for (const told of listeners) told(isSignedIn);
  }

  void navigator.locks.request('tab', { mode: 'shared' }, () => new Promise(() => undefined));
  const client: StrongTogetherClient = new StrongTogetherClient({
    baseUrl: location.origin,
    key: await keyFromPair(pair),
    session: 'other',
    ...(kept === undefined ? {} : { refreshToken: kept }),
    onTokens: (tokens) => {
      saving = tokens?.refreshToken
        ? save('session', 'refreshToken', tokens.refreshToken)
        : remove('session', 'refreshToken');
      channel.postMessage(tokens ? { kind: 'tokens', tokens } : { kind: 'ended' });
      if (tokens) saving = Promise.all([saving, noteOwner(tokens)]);
      void saving.then(tell);
    },
    exclusively: (refresh) =>
      navigator.locks.request('refresh', async () => {
        const used = client.accessToken;
        if ((await tabs()) > 1) {
          channel.postMessage({ kind: 'asked' });
          await Promise.race([adopted.promise, new Promise((done) => setTimeout(done, HAND_OVER_MS))]);
        }
        const newest = await load<string>('session', 'refreshToken');
        if (client.accessToken === used && newest !== undefined && newest !== client.refreshToken) {
          client.adopt({ accessToken: used ?? '', refreshToken: newest }); // of a tab that is gone
        }
        await refresh();
        await saving;
      }),
  });

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'asked') {
      // Tokens that the asking tab has already do it no good.
      if (client.accessToken) channel.postMessage({ kind: 'tokens', tokens: tokensOf(client) });
      return;
    }
    if (data.kind === 'ended') {
      client.adopt({ accessToken: '', refreshToken: null });
    } else if (data.tokens.accessToken !== client.accessToken) {
      client.adopt(data.tokens);
      void noteOwner(data.tokens);
      adopted.resolve();
      adopted = Promise.withResolvers();
    }
    tell();
  };

  return {
    client,
    userId: () => userId,
    isSignedIn: () => client.refreshToken !== null,
    onChange: (told) => {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    signOut: async () => {
      await client.logout().catch((error) => {
        if (!(error instanceof ApiFailure)) throw error; // the session had ended already
      });
      await saving;
    },
  };
}

/** Tabs that are open: each holds a lock as long as it lives. */
async function tabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name === 'tab').length;
}

const tokensOf = ({ accessToken = '', refreshToken }: StrongTogetherClient): Tokens => ({ accessToken, refreshToken });

/** The person that an access token names. */
function subjectOf(accessToken: string): string {
  const [, payload = ''] = accessToken.split('.');
  if (payload === '') return '';
  return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))).id;
}

async function makeKey(): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  await save('session', 'key', pair);
  return pair;
}
