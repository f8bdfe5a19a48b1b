import { ApiFailure } from '@strong-together/client';
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Unit } from './format.ts';
import { load, onStoredElsewhere, type Store, update } from './session/database.ts';
import type { Session } from './session/session.ts';

export interface Me {
  unit: Unit;
  weekStart: typeof import('./format.ts').WEEKDAYS[number];
}

interface Shared {
  session: Session;
  me: Me;
  setMe(me: Me): void;
}

export const SharedContext = createContext<Shared | undefined>(undefined);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (!shared) throw new Error('this screen needs a session');
  return shared;
}
export const useClient = () => useShared().session.client;

/** Where the server expects this page to be open; elsewhere it refuses every proof. */
export const homeAddress = (): string => `${document.getElementById('app')?.dataset.address ?? location.origin}/app`;

/** What the server says of proofs is about programs; this is for the person. */
function proofProblem(code: string): string | undefined {
  if (code === 'DPOP_HOST_NOT_ALLOWED')
    return `This server is used at ${homeAddress()} only: open that address. If you run the server and want to use it here, set PUBLIC_BASE_URL=${location.origin} and start it again.`;
  if (code === 'DPOP_PROOF_EXPIRED')
    return 'The clock of this device is wrong by more than a minute. Set it, then try again.';
  return code.startsWith('DPOP_')
    ? 'The server did not accept the key of this browser. Reload the page and try again.'
    : undefined;
}

/** What happened and what to do, for a person. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiFailure)) return 'The server cannot be reached. Look at your connection and try again.';
  // What is not a sentence by itself says what the last part of the path must be.
  const fields =
    error.code === 'IMPORT_EMPTY'
      ? []
      : (error.errors?.map(({ path, message }) =>
          /^[A-Z]/.test(message) ? message : `${path.split('.').at(-1)} ${message}`,
        ) ?? []);
  if (error.status === 412)
    return 'It was changed elsewhere meanwhile. Open it again to see the newest, then change that.';
  return proofProblem(error.code) ?? (fields.length > 0 ? fields.slice(0, 3).join('. ') : error.message);
}

/**
 * A value that this browser keeps and all its tabs share. Each change is made to what is stored at that moment, so what one
 * tab writes is not lost when another one writes, too.
 * @param initial what was stored when the screen opened, or what it begins with
 * @returns the value (undefined: another tab has removed it), a function that changes it, and one that lets it be
 */
export function useKept<T>(store: Store, key: string, initial: T) {
  const [value, setValue] = useState<T | undefined>(initial);
  const newest = useRef(initial);
  const pending = useRef(0);
  const isOver = useRef(false);
  const take = (stored: T | undefined) => {
    if (pending.current > 0 || isOver.current) return; // what is typed here is newer
    newest.current = stored ?? initial;
    setValue(stored);
  };
  useEffect(() => {
    isOver.current = false;
    const stop = onStoredElsewhere(store, (changed) => changed === key && void load<T>(store, key).then(take));
    // It may have changed between the loading of the screen and now.
    void load<T>(store, key).then((stored) => stored !== undefined && take(stored));
    return () => {
      stop();
      isOver.current = true; // for answers that come later
    };
  }, [store, key]);
  const change = async (part: (now: T) => T): Promise<T> => {
    if (isOver.current) return newest.current;
    newest.current = part(newest.current);
    setValue(newest.current);
    const made = newest.current;
    pending.current++;
    let stored: T;
    try {
      stored = await update<T>(store, key, (now) => (now === undefined ? made : part(now)));
    } finally {
      pending.current--;
    }
    take(stored);
    return stored;
  };
  const close = () => {
    isOver.current = true;
  };
  return { value, change, close };
}

export type Loaded<T> = { state: 'loading' } | { state: 'failed'; error: unknown } | { state: 'here'; value: T };

/** Loads something for a screen, again whenever one of `keys` changes. */
export function useLoaded<T>(work: () => Promise<T>, keys: unknown[]): [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isOver = false;
    work().then(
      (value) => !isOver && setLoaded({ state: 'here', value }),
      (error) => !isOver && setLoaded({ state: 'failed', error }),
    );
    return () => {
      isOver = true;
    };
  }, [...keys, turn]);
  return [loaded, useCallback(() => setTurn((n) => n + 1), [])];
}

/** Runs what a button asks for: once at a time, with what came of it in words. */
export function useAction(): {
  isBusy: boolean;
  error: string;
  done: string;
  run(work: () => Promise<string | undefined>): void;
} {
  const [state, setState] = useState({ isBusy: false, error: '', done: '' });
  const run = (work: () => Promise<string | undefined>) => {
    setState({ isBusy: true, error: '', done: '' });
    work().then(
      (done) => setState({ isBusy: false, error: '', done: done ?? '' }),
      (error) => setState({ isBusy: false, error: inWords(error), done: '' }),
    );
  };
  return { ...state, run };
}

const BASE = '/app';

/** The part of the address below `/app`, such as `workouts/new`. */
export function usePath(): string {
  const read = () => location.pathname.slice(BASE.length).replace(/^\/|\/$/g, '');
  const [path, setPath] = useState(read);
  useEffect(() => {
    const look = () => setPath(read());
    addEventListener('popstate', look);
    return () => removeEventListener('popstate', look);
  }, []);
  return path;
}

/** @param isInPlace the address before is not one to come back to */
export function go(path: string, isInPlace = false): void {
  if (isInPlace) history.replaceState(null, '', `${BASE}/${path}`);
  else history.pushState(null, '', `${BASE}/${path}`);
  dispatchEvent(new PopStateEvent('popstate'));
  scrollTo(0, 0);
}
