import { ApiFailure } from '@strong-together/client';
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useState } from 'preact/hooks';
import type { Unit } from './format.ts';
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

/** What happened and what to do, for a person. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiFailure)) return 'The server cannot be reached. Look at your connection and try again.';
  const fields = error.errors?.map(({ path, message }) => `${path}: ${message}`) ?? [];
  if (error.status === 412)
    return 'It was changed elsewhere meanwhile. Open it again to see the newest, then change that.';
  return fields.length > 0 ? fields.slice(0, 3).join('. ') : error.message;
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
