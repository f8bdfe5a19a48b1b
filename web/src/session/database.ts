/**
 * What outlives the page in this browser: the key, the refresh token, workouts that are not sent yet, small choices. It is
 * the one truth of all tabs: each is told what another one has stored.
 */
const STORES = ['session', 'drafts', 'choices'] as const;
export type Store = (typeof STORES)[number];

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('strong-together', 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run<T>(
  store: Store,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const load = <T>(store: Store, key: string): Promise<T | undefined> =>
  run(store, 'readonly', (from) => from.get(key) as IDBRequest<T | undefined>);
export const loadAll = <T>(store: Store): Promise<T[]> =>
  run(store, 'readonly', (from) => from.getAll() as IDBRequest<T[]>);
export async function save(store: Store, key: string, value: unknown): Promise<void> {
  await run(store, 'readwrite', (into) => into.put(value, key));
  tellOthers(store, key);
}
export async function remove(store: Store, key: string): Promise<void> {
  await run(store, 'readwrite', (from) => from.delete(key));
  tellOthers(store, key);
}
export const clear = (store: Store): Promise<unknown> => run(store, 'readwrite', (from) => from.clear());

/**
 * Changes what is stored under a key, in one transaction: two tabs that change it at once both do.
 * @param change what is there now → what is to be there
 */
export async function update<T>(store: Store, key: string, change: (now: T | undefined) => T): Promise<T> {
  const database = await open();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const transaction = database.transaction(store, 'readwrite');
  const reading = transaction.objectStore(store).get(key) as IDBRequest<T | undefined>;
  reading.onsuccess = () => {
    const next = change(reading.result);
    transaction.objectStore(store).put(next, key);
    transaction.oncomplete = () => resolve(next);
  };
  transaction.onerror = () => reject(transaction.error);
  transaction.onabort = () => reject(transaction.error);
  const next = await promise;
  tellOthers(store, key);
  return next;
}

interface Stored {
  store: Store;
  key: string;
}

const others = new BroadcastChannel('strong-together-stored');

const tellOthers = (store: Store, key: string) => others.postMessage({ store, key } satisfies Stored);

/** Tells which keys other tabs have stored or removed. @returns a function that stops that */
export function onStoredElsewhere(store: Store, told: (key: string) => void): () => void {
  const listen = ({ data }: MessageEvent<Stored>) => data.store === store && told(data.key);
  others.addEventListener('message', listen);
  return () => others.removeEventListener('message', listen);
}
