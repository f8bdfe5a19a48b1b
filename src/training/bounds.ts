// How much of the logbook there may be. What a form, a file and the database allow is the same.

/** Blocks of a workout, and sets of a block. */
export const MOST_BLOCKS = 100;
export const MOST_SETS = 50;
/** Of one person: a century of training every day. */
export const MOST_WORKOUTS = 50_000;
export const MOST_SETS_IN_ALL = 500_000;
/** Of one person, in bytes of JSON. */
export const MOST_NOTES_BYTES = 20_000_000;
export const MOST_OWN_EXERCISES = 1_000;
/** What one page of a list may hold, in bytes of JSON; the page has fewer items then. */
export const MOST_PAGE_BYTES = 2_000_000;

export const LONGEST_TITLE = 100;
export const LONGEST_NOTE = 2_000;
/** From the start to the end of a workout, in seconds. */
export const LONGEST_WORKOUT = 24 * 60 * 60;
/** In kilograms or pounds. */
export const HEAVIEST = 9999.999;
/** Decimals that are kept of a weight: what is left of pounds in kilograms, and less than floating point adds. */
export const WEIGHT_PLACES = 9;
/** Decimals that are kept of metres. */
export const DISTANCE_PLACES = 3;
