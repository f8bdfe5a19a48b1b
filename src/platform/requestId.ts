import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string>();

/** Runs the work of a request, or of a delivery that it asked for: what is logged and added meanwhile carries its id. */
export const underRequestId = <T>(id: string, work: () => T): T => current.run(id, work);

/** The id of the request that the present work is for; undefined where there is none, such as in the schedule. */
export const requestId = (): string | undefined => current.getStore();
