import { hashSync } from '@node-rs/bcrypt';
import { type ProofKey, proofKey } from '../helpers/proof.ts';
import type { Token } from './call.ts';
import { newAccount, type World } from './world.ts';

/** A phone and what it remembers. */
export interface TrainedPhone {
  key: ProofKey;
  access: Token | undefined;
  refresh: Token | undefined;
  /** The refresh token before the last rotation. */
  previous: Token | undefined;
  tickets: string[];
  /** Path → what was read there last. */
  read: Map<string, { etag: string; body: unknown }>;
}

/** How a person enters the story. */
export const BEGINNINGS = ['member', 'registered', 'stranger'] as const;
export type Beginning = (typeof BEGINNINGS)[number];

export interface Person {
  firstName: string;
  phones: [TrainedPhone, TrainedPhone];
  usernames: [string, string, string];
  addresses: [string, string, string];
  passwords: [string, string, string];
  /** What the providers call this person. */
  subject: string;
  /** The first two are this person's own, the third is a device that is handed around. */
  pushTokens: [string, string, string];
  /** When the story began, in milliseconds: workouts lie before it. */
  began: number;
  /** Everything that may be true; never empty. */
  worlds: World[];
  /** Ids of all accounts that this person ever had. */
  ids: Set<string>;
}

const NAMES = ['Ana', 'Ben', 'Cleo', 'Dov', 'Eva'];
/** A key costs more than all else of a person. */
const keys = NAMES.map(() => [proofKey('phone'), proofKey('plain')] as const);
const hashes = NAMES.map((name) => hashSync(passwordOf(name, 0), 4));

let stories = 0;

/** New people with names that nobody had before. */
export function makeCast(beginnings: Beginning[]): Person[] {
  const story = stories++;
  return beginnings.map((beginning, n) => {
    const firstName = NAMES[n] ?? 'Zoe';
    const base = `${firstName.toLowerCase()}_${story}`;
    const [first, second] = keys[n] ?? [proofKey(), proofKey()];
    return {
      firstName,
      phones: [makePhone(first), makePhone(second)],
      usernames: [base, `${base}_x`, `${base}_y`],
      addresses: [`${base}@example.com`, `${base}@second.example`, `${base}.w@example.org`],
      passwords: [passwordOf(firstName, 0), passwordOf(firstName, 1), passwordOf(firstName, 2)],
      subject: `subject-${base}`,
      pushTokens: [
        `ExponentPushToken[${base}-1]`,
        `ExponentPushToken[${base}-2]`,
        `ExponentPushToken[shared-${story}]`,
      ],
      began: Date.now(),
      worlds: [{ account: beginning === 'stranger' ? null : started(firstName, base, beginning) }],
      ids: new Set<string>(),
    };
  });
}

/** The hash of the first password, as cheap as bcrypt gets. */
export const hashOf = (person: Person): string => hashes[NAMES.indexOf(person.firstName)] ?? '';

function passwordOf(name: string, n: number): string {
  return `${name} keeps secret ${n}`;
}

function makePhone(key: ProofKey): TrainedPhone {
  return { key, access: undefined, refresh: undefined, previous: undefined, tickets: [], read: new Map() };
}

function started(firstName: string, base: string, beginning: Beginning) {
  return newAccount({
    username: base,
    name: `${firstName} Kay`,
    email: `${base}@example.com`,
    password: passwordOf(firstName, 0),
    isVerified: beginning === 'member',
  });
}
