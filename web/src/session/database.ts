/** What outlives the page in this browser: the key, the refresh token, workouts that are not sent yet, small choices. */
const STORES = ['session', 'drafts', 'choices'] as const;
type Store = (typeof STORES)[number];

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
export const save = (store: Store, key: string, value: unknown): Promise<unknown> =>
  run(store, 'readwrite', (into) => into.put(value, key));
export const remove = (store: Store, key: string): Promise<unknown> =>
  run(store, 'readwrite', (from) => from.delete(key));
export const clear = (store: Store): Promise<unknown> => run(store, 'readwrite', (from) => from.clear());
