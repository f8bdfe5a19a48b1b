import { DAY, defineLimit, HOUR, PER_DAY, PER_MINUTE } from '#platform/limits.ts';

/** Codes for one mailbox from one address, whether or not it has an account: nobody elsewhere is kept from theirs. */
export const codeMail = [
  defineLimit('signInCodeBurst', 2, 45, PER_MINUTE),
  defineLimit('signInCodeDaily', 10, DAY, PER_DAY),
];
/** The same by account, wherever it is asked from. Nobody is told when it is exceeded. */
export const codeMailOfAccount = defineLimit('signInCodeOfAccount', 50, DAY);
export const codeMailByAddress = defineLimit('signInCodeByAddress', 30, HOUR);
