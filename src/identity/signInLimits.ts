import { DAY, defineLimit, MINUTE } from '#platform/limits.ts';

const TOO_MANY = "You've reached the maximum amount of login attempts per 15 minutes.";

/** Wrong passwords for a name from one address. */
export const signInFailures = defineLimit('signInFailures', 5, 15 * MINUTE, TOO_MANY);
/** Wrong passwords and forged tokens of providers from one address, whatever the name. */
export const signInFailuresByAddress = defineLimit('signInFailuresByAddress', 30, 15 * MINUTE, TOO_MANY);
/**
 * Requests of one person, of all their sessions together: far more than a phone and a browser make. Counted before the
 * guard by person and address, so that whoever only holds a token uses up nothing of its owner elsewhere; after it by
 * person.
 */
export const requestsOfPerson = defineLimit('person', 240, MINUTE);
/** Requests that end sessions, by the session that asks: others of the person cannot keep its owner from ending them. */
export const requestsToEnd = defineLimit('sessionEnd', 30, MINUTE);
/**
 * Wrong codes for an address from networks that did not ask for the code. It bounds guesses by many networks, and leaves
 * the owner a way: a code that is typed in where it was asked for is compared in any case.
 */
export const wrongCodesFromElsewhere = defineLimit(
  'wrongCodesFromElsewhere',
  20,
  DAY,
  'Too many wrong codes were tried for this address. Ask for a new code on this device and enter it here.',
);
/** Attempts to use a refresh token with another key, by the address that tries: they never count against its owner. */
export const foreignKeyByAddress = defineLimit('foreignKeyByAddress', 30, 15 * MINUTE);
/** Events of replaced refresh tokens of the phone. In silence: the answer is that of any other ended token. */
export const reusesOfPerson = defineLimit('reusesOfPerson', 5, DAY);
/** Refreshes of one session. */
export const refreshes = defineLimit('refresh', 60, MINUTE);
