/** Where the logbook's routes are: `/api/v1` has errors, bodies and gates of its own (behaviour 6.1). */
const LOGBOOK = '/api/v1/';

/** Whether a path belongs to the logbook, for people, pages and programs; everything else is the released app's. */
export const isLogbook = (path: string): boolean => path.startsWith(LOGBOOK);
