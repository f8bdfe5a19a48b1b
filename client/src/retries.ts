import { type Answer, failureOf } from './answers.ts';

const FIRST_WAIT_MS = 300;
/** A server that asks for more patience than this gets none: the caller is told. */
const LONGEST_WAIT_MS = 10_000;

/** Milliseconds before the next try, with a random part, so that clients do not come back all at once. */
export function backoff(tries: number): number {
  return FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + Math.random());
}

/** Milliseconds before the next try; undefined: this answer is the one to go by. */
export function waitAfter(answer: Answer, tries: number): number | undefined {
  const failure = failureOf(answer);
  // An earlier try, whose answer was lost, still runs.
  if (failure?.code === 'IDEMPOTENCY_IN_PROGRESS') return backoff(tries);
  const asked = answer.headers.get('retry-after');
  if (failure?.status !== 503 || asked === null) return undefined;
  const wait = (Number(asked) || 0) * 1000 + backoff(tries);
  return wait > LONGEST_WAIT_MS ? undefined : wait;
}

/** Waits, at most until the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, milliseconds);
    if (signal?.aborted) finish();
    else signal?.addEventListener('abort', finish);
  });
}
