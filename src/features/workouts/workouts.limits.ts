import { defineLimit, MINUTE } from '#platform/limits.ts';

/** Plans and workouts cost more than other requests, and nobody has so many. */
export const largeChanges = defineLimit('largeChange', 30, MINUTE);
