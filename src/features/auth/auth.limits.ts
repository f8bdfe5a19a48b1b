import { DAY, defineLimit, HOUR, MINUTE, PER_DAY, PER_MINUTE } from '#platform/limits.ts';

/** Two endpoints send verification mails, each with its own counters: the app calls one right after the other. */
export const verificationMail = [
  defineLimit('verificationMailBurst', 1, 45, PER_MINUTE),
  defineLimit('verificationMailDaily', 3, DAY, PER_DAY),
];
export const correctedAddressMail = [
  defineLimit('correctedAddressBurst', 1, 45, PER_MINUTE),
  defineLimit('correctedAddressDaily', 3, DAY, PER_DAY),
];
export const resetMail = [
  defineLimit('resetMailBurst', 2, 45, PER_MINUTE),
  defineLimit('resetMailDaily', 3, DAY, PER_DAY),
];
/** The same by account, whichever identifier was typed. Nobody is told when it is exceeded. */
export const resetMailOfAccount = [
  defineLimit('resetMailOfAccountBurst', 2, 45),
  defineLimit('resetMailOfAccountDaily', 3, DAY),
];
export const mailByAddress = defineLimit('mailByAddress', 30, HOUR);
export const verificationChecks = defineLimit('verificationStatus', 30, MINUTE);
export const registrations = defineLimit('registration', 20, HOUR);
