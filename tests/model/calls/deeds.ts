import type { Builder, Deed } from './builder.ts';
import { messages } from './messages.ts';
import { profiles } from './profiles.ts';
import { reads } from './reads.ts';
import { recovery } from './recovery.ts';
import { sessions } from './sessions.ts';
import { training } from './training.ts';

/** Everything that a person can do, by name. */
export const DEEDS: Record<string, Deed> = {
  ...reads,
  ...training,
  ...sessions,
  ...recovery,
  ...profiles,
  ...messages,
};

/** How often each is done, beside once. */
const OFTEN: Record<string, number> = {
  finish: 12,
  savePlan: 5,
  addCardio: 5,
  tracking: 4,
  cardioRead: 3,
  analytics: 4,
  bootstrap: 6,
  inbox: 2,
  plan: 2,
  login: 3,
  refresh: 6,
  update: 5,
  forgot: 2,
  verify: 2,
  reset: 4,
  confirmAddress: 3,
  connect: 3,
  savePushToken: 2,
};
export const DEED_NAMES = Object.keys(DEEDS).flatMap((name) => Array<string>(OFTEN[name] ?? 1).fill(name));

/** What needs no session. */
const PUBLIC = new Set([
  ...['login', 'refresh', 'connect', 'google', 'apple', 'register', 'verify', 'resendVerification'],
  ...['correctAddress', 'checkVerified', 'forgot', 'reset', 'confirmAddress', 'dailyPush', 'hourlyPush'],
]);

/** The way into a session from wherever the person is: no more than one thing at a time. */
const enter: Builder = async (scene) => {
  const call = await entrance(scene);
  return call && { ...call, isAlone: true };
};

const entrance: Builder = async (scene) => {
  const { account, phone } = scene;
  const deed = (name: string) => DEEDS[name]?.build(scene);
  if (phone.refresh) return deed('refresh');
  if (!account) return deed('register');
  if (!account.isVerified) return account.mails['mail.verification'] ? deed('verify') : deed('resendVerification');
  return deed(account.password === null ? 'google' : 'login');
};

/** What comes of a move: it, or the way to where it is possible. */
export const build: Builder = async (scene) => {
  const { move, phone } = scene;
  const deed = DEEDS[move.does];
  if (!deed) return undefined;
  const isDaring = move.c % 10 === 9;
  if (!PUBLIC.has(move.does) && !phone.access && !isDaring) return enter(scene);
  return (await deed.build(scene)) ?? enter(scene);
};
