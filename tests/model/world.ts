import { type Judge, show } from './difference.ts';

/** Milliseconds since 1970 between which something happened; both the same where the instant is known. */
export type Span = readonly [from: number, to: number];

/** Whether `a` was later than `b`; undefined where that cannot be told. */
export function isLater(a: Span, b: Span): boolean | undefined {
  if (a[0] > b[1]) return true;
  return a[1] <= b[0] ? false : undefined;
}

export interface PlannedExercise {
  exercise: number;
  /** Exercise-to-split id, once it was seen. */
  id?: number;
  sets: number[];
  order: number;
  isActive: boolean;
}

export interface Split {
  name: string;
  id?: number;
  isActive: boolean;
  exercises: PlannedExercise[];
}

export interface Plan {
  id?: number;
  name: string;
  createdAt?: string;
  updated: Span;
  /** In the order in which they came to be, and so of their ids. */
  splits: Split[];
}

export interface Entry {
  exercise: number;
  weight: number[];
  reps: number[];
  notes: string;
}

export interface Workout {
  start: Span;
  end: Span;
  split: string;
  entries: Entry[];
}

interface Cardio {
  type: string;
  mins: number;
  secs: number;
  at: Span;
}

interface Message {
  id?: string;
  subject: string;
  sent: Span;
  isRead: boolean;
}

export type Provider = 'google' | 'apple';
export type Missing = 'email' | 'name';

/** Everything that the server should know about a person. What it chose itself is absent until it was seen. */
export interface Account {
  id?: string;
  username?: string;
  name?: string | null;
  email: string | null;
  pendingEmail: string | null;
  gender: string;
  provider: 'app' | Provider;
  createdAt?: string;
  isVerified: boolean;
  isFirstLogin: boolean;
  picture?: string | null;
  pushToken: string | null;
  password: string | null;
  /** How often the password changed, and the epoch of each password that a reset link was made for. */
  passwordEpoch: number;
  fingerprints: Record<string, number>;
  verificationEpoch: number;
  links: Partial<Record<Provider, Missing[]>>;
  tokenVersion: number;
  sessionEpoch: number;
  rotated: Span | null;
  isVersionUsed: boolean;
  /** While several requests are under way: where the session stood when they were sent, and who it was. */
  letIn?: { version: number; epoch: number; names: string[] };
  zone: string;
  plan: Plan | null;
  workouts: Workout[];
  cardio: Cardio[];
  messages: Message[];
  /** Kind → how many were promised. */
  mails: Record<string, number>;
  /** Route and Idempotency-Key → the body that was sent with it, and the status of its answer. */
  keys: Record<string, { body: string; status: number }>;
}

/** One possibility of how things are with a person. As long as an answer is lost there are several. */
export interface World {
  account: Account | null;
}

export const copyOf = (world: World): World => structuredClone(world);

export function newAccount(given: Partial<Account>): Account {
  return {
    email: null,
    pendingEmail: null,
    gender: 'Unknown',
    provider: 'app',
    isVerified: false,
    isFirstLogin: true,
    picture: null,
    pushToken: null,
    password: null,
    passwordEpoch: 0,
    fingerprints: {},
    verificationEpoch: 0,
    links: {},
    tokenVersion: 0,
    sessionEpoch: 0,
    rotated: null,
    isVersionUsed: false,
    zone: 'UTC',
    plan: null,
    workouts: [],
    cardio: [],
    messages: [],
    mails: {},
    keys: {},
    ...given,
  };
}

const namesOf = ({ username, email }: Account): string[] =>
  [username, email].flatMap((name) => name?.toLowerCase() ?? []);

/** Marks where a session stands while several requests are under way. */
export function letIn(world: World): World {
  const next = copyOf(world);
  const { account } = next;
  if (account) {
    account.letIn = { version: account.tokenVersion, epoch: account.sessionEpoch, names: namesOf(account) };
  }
  return next;
}

/** Whether an account is found by a username or an address; undefined where that is just being changed. */
export function isFoundBy(account: Account | null, identifier: string): boolean | undefined {
  const name = identifier.trim().toLowerCase();
  if (account && namesOf(account).includes(name)) return true;
  return account?.letIn?.names.includes(name) ? undefined : false;
}

export function promiseMail(account: Account, kind: string): void {
  account.mails[kind] = (account.mails[kind] ?? 0) + 1;
}

/** The text before the first space, as greetings use it; undefined where the server chose the name. */
export function firstName({ name, username }: Account): string | undefined {
  return name === undefined ? undefined : name?.trim().split(' ')[0] || username;
}

const offsets = new Map<string, Intl.DateTimeFormat>();

/** An instant as contract 0.12 writes local timestamps: `2026-11-23T01:26:43.770+02:00`. */
function localText(instant: number, zone: string): string {
  const format = offsets.get(zone) ?? new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  offsets.set(zone, format);
  const name = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const offset = name.slice(3) || '+00:00';
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  const ahead = (hours * 60 + minutes) * 60_000 * (offset.startsWith('-') ? -1 : 1);
  return new Date(instant + ahead).toISOString().slice(0, -1) + offset;
}

/** A local timestamp of this zone; `judge` gets its instant. */
export function localInstant(zone: string, judge: (instant: number) => string | undefined): Judge {
  return (actual) => {
    const instant = typeof actual === 'string' ? Date.parse(actual) : Number.NaN;
    if (Number.isNaN(instant) || localText(instant, zone) !== actual) return `${show(actual)} is no time in ${zone}`;
    return judge(instant);
  };
}

/** PostgreSQL counts microseconds, and what it shows is cut off. */
export const contains = ([from, to]: Span, instant: number): boolean => instant >= from - 1 && instant <= to + 1;

/** A span that an answer has told: within the millisecond. */
export const seen = (instant: number): Span => [instant, instant + 1];
