import { expect, it } from 'vitest';
import * as auth from '#features/auth/auth.limits.ts';
import * as users from '#features/users/users.limits.ts';
import * as identity from '#identity/signInLimits.ts';

const PLAIN = 'Too many requests.';
const SIGN_IN = "You've reached the maximum amount of login attempts per 15 minutes.";
const PER_MINUTE = "You've reached the maximum amount of requests per minute.";
const PER_DAY = "You've reached the maximum amount of requests per day.";

it('limits are those of behaviour 0.6, each with a counter of its own', () => {
  const limits = [auth, users, identity].flatMap((module) => Object.values(module).flat());
  const rows = limits.map(({ name, points, seconds, message }) => [name, points, seconds, message]);
  expect(Object.fromEntries(rows.map(([name, ...rest]) => [name, rest]))).toMatchObject({
    refresh: [60, 60, PLAIN],
    signInFailures: [5, 900, SIGN_IN],
    signInFailuresByAddress: [30, 900, SIGN_IN],
    foreignKeyByAddress: [30, 900, PLAIN],
    registration: [20, 3600, PLAIN],
    verificationMailBurst: [1, 45, PER_MINUTE],
    verificationMailDaily: [3, 86_400, PER_DAY],
    correctedAddressBurst: [1, 45, PER_MINUTE],
    correctedAddressDaily: [3, 86_400, PER_DAY],
    resetMailBurst: [2, 45, PER_MINUTE],
    resetMailDaily: [3, 86_400, PER_DAY],
    mailByAddress: [30, 3600, PLAIN],
    emailChangeBurst: [2, 45, PER_MINUTE],
    emailChangeDaily: [3, 86_400, PER_DAY],
    profileConflicts: [20, 3600, PLAIN],
    verificationStatus: [30, 60, PLAIN],
    person: [240, 60, PLAIN],
    picture: [10, 60, PLAIN],
  });
  expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
});
