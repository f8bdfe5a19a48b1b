import { defineLimit, MINUTE } from '#platform/limits.ts';

/** So many that a gym whose phones all come back at once stays below it. */
export const handshakes = defineLimit('socketHandshakes', 600, MINUTE);
