import { DAY, defineLimit, HOUR, MINUTE, PER_DAY, PER_MINUTE } from '#platform/limits.ts';

export const emailChange = [
  defineLimit('emailChangeBurst', 2, 45, PER_MINUTE),
  defineLimit('emailChangeDaily', 3, DAY, PER_DAY),
];
export const profileConflicts = defineLimit('profileConflicts', 20, HOUR);
/** Decoding a picture takes memory and a thread. */
export const pictures = defineLimit('picture', 10, MINUTE);
