import type { OutgoingHttpHeaders } from 'node:http';
import type { Call, Outcome } from '../call.ts';
import { type Answer, proven, send, sentBody, type Token, type Told } from '../call.ts';
import type { Person, TrainedPhone } from '../cast.ts';
import type { Stage } from '../stage.ts';
import type { Account, Span, World } from '../world.ts';

/** One element of a story: who does what, with numbers that choose among the ways to do it. */
export interface Move {
  who: number;
  does: string;
  a: number;
  b: number;
  c: number;
  /** Which of the person's two phones. */
  phone: 0 | 1;
  /** Which of the two API instances. */
  instance: 0 | 1;
  /** The answer is lost on the way. */
  isLost: boolean;
  /** Hangs up after so many milliseconds; null: waits. */
  patienceMs: number | null;
}

export interface Scene {
  person: Person;
  phone: TrainedPhone;
  /** The likeliest of the worlds: requests are made from it. */
  account: Account | null;
  stage: Stage;
  move: Move;
}

/** Undefined: there is nothing to do so now. */
export type Builder = (scene: Scene) => Call | undefined | Promise<Call | undefined>;

export interface Deed {
  /** `METHOD /path` as declared. */
  routes: string[];
  build: Builder;
}

export function pick<T>(items: readonly T[], n: number): T {
  const item = items[n % items.length];
  if (item === undefined && items.length === 0) throw new Error('there is nothing to choose from');
  return item as T;
}

export const ZONES = ['Asia/Jerusalem', 'America/New_York'] as const;
export const DEFAULT_ZONE = 'Asia/Jerusalem';

interface Protected {
  says: string;
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: unknown;
  /** Bytes instead of JSON. */
  bytes?: Buffer;
  outcomes(world: World, at: Span, token: Token | undefined): Outcome[];
  keep?(told: Told): void;
}

/** A request with the phone's access token and a proof. */
export function asPhone(
  { phone, stage }: Scene,
  { says, method, path, headers, body, bytes, outcomes, keep }: Protected,
): Call {
  const token = phone.access;
  const request = { method, path, body: bytes ?? sentBody(body) };
  return {
    says,
    send: (url, patienceMs) => {
      const proof = proven(stage.publicUrl, phone.key, request, token);
      // A picture is at work outside the database, too.
      return send(url, { ...request, headers: { ...proof, ...headers } }, bytes ? undefined : patienceMs);
    },
    outcomes: (world, at) => outcomes(world, at, token),
    ...(keep ? { keep } : {}),
  };
}

/** A GET that the phone repeats with the ETag that it got last time; a 304 stands for what it has. */
export function asReader(scene: Scene, read: Omit<Protected, 'method' | 'body' | 'bytes' | 'keep'>): Call {
  const { phone, move } = scene;
  const place = `${phone.access?.userId} ${read.path}`;
  const before = move.c % 2 === 1 ? phone.read.get(place) : undefined;
  const call = asPhone(scene, {
    ...read,
    method: 'GET',
    headers: before ? { 'if-none-match': before.etag } : {},
  });
  return {
    ...call,
    send: async (url, patienceMs): Promise<Answer> => {
      const answer = await call.send(url, patienceMs);
      if (answer === 'lost' || answer === 'unsent') return answer;
      if (before && answer.status === 304 && answer.body === undefined) {
        return { ...answer, status: 200, body: before.body };
      }
      const { etag } = answer.headers;
      if (answer.status === 200 && etag) phone.read.set(place, { etag, body: answer.body });
      return answer;
    },
  };
}

/** A request of nobody in particular. */
export function asAnybody(request: {
  says: string;
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: unknown;
  outcomes(world: World, at: Span): Outcome[];
  keep?(told: Told): void;
}): Call {
  const { says, outcomes, keep, ...sent } = request;
  return {
    says,
    send: (url) => send(url, { ...sent, body: sentBody(sent.body) }),
    outcomes,
    ...(keep ? { keep } : {}),
  };
}

export const tzQuery = (zone: string | undefined): string => (zone ? `?tz=${encodeURIComponent(zone)}` : '');
