/** There is no room to wait in; the caller should come back later. */
export class QueueFull extends Error {
  /** True: too many of this key are waiting. False: too many are waiting in all. */
  readonly ofKey: boolean;

  constructor(ofKey: boolean) {
    super('too many are waiting already');
    this.ofKey = ofKey;
  }
}

/** The turn did not come in time. */
export class WaitedTooLong extends Error {
  constructor() {
    super('the turn did not come in time');
  }
}

export interface FairQueueOptions {
  /** Most pieces of work that run at the same time, of all keys. */
  atOnce: number;
  /** Of these, how many may be of one key: a person, an address. */
  atOncePerKey: number;
  /** How many of one key may wait; one more is refused at once. */
  waitingPerKey: number;
  /** How many may wait in all. */
  waiting: number;
  /** Longest wait in milliseconds; absent: as long as it takes. */
  longestWaitMs?: number;
}

/**
 * Runs a piece of work when its turn comes.
 * @param signal if it aborts while the work still waits, the work never runs and the signal's reason is thrown
 * @throws QueueFull, WaitedTooLong
 */
export type FairQueue = <T>(key: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

interface Waiting {
  start(): void;
  refuse(reason: unknown): void;
}

interface Lane {
  running: number;
  waiting: Set<Waiting>;
}

/**
 * A bounded queue in which one key cannot hold up the others: keys take turns, and each has bounds of its own.
 * First come, first served within a key.
 */
export function fairQueue(options: FairQueueOptions): FairQueue {
  const lanes = new Map<string, Lane>();
  /** Keys of which work waits and may start, in the order of their turns. */
  const turns = new Set<string>();
  let running = 0;
  let waiting = 0;

  function noteTurn(key: string, lane: Lane): void {
    turns.delete(key);
    if (lane.waiting.size > 0 && lane.running < options.atOncePerKey) turns.add(key);
    if (lane.waiting.size === 0 && lane.running === 0) lanes.delete(key);
  }

  function startNext(): void {
    for (const key of turns) {
      if (running >= options.atOnce) return;
      const [next] = lanes.get(key)?.waiting ?? [];
      next?.start();
    }
  }

  /** Makes room by refusing the newest work of the key that has most waiting, if this key has less. */
  function makeRoom(forLane: Lane): boolean {
    const [longest] = [...lanes.values()].toSorted((a, b) => b.waiting.size - a.waiting.size);
    const newest = [...(longest?.waiting ?? [])].at(-1);
    if (!longest || !newest || longest.waiting.size <= forLane.waiting.size + 1) return false;
    newest.refuse(new QueueFull(true));
    return true;
  }

  function turnOf(key: string, lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      lane.waiting.delete(entry);
      waiting--;
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const start = (): void => {
      leave();
      lane.running++;
      running++;
      noteTurn(key, lane);
      resolve();
    };
    const refuse = (reason: unknown): void => {
      leave();
      noteTurn(key, lane);
      reject(reason);
    };
    const giveUp = (): void => refuse(signal?.reason);
    const timer =
      options.longestWaitMs === undefined
        ? undefined
        : setTimeout(() => refuse(new WaitedTooLong()), options.longestWaitMs);
    signal?.addEventListener('abort', giveUp);
    const entry: Waiting = { start, refuse };
    lane.waiting.add(entry);
    waiting++;
    noteTurn(key, lane);
    startNext();
    return promise;
  }

  return async (key, work, signal) => {
    signal?.throwIfAborted();
    const lane = lanes.get(key) ?? { running: 0, waiting: new Set() };
    const mustWait = running >= options.atOnce || lane.running >= options.atOncePerKey || lane.waiting.size > 0;
    if (mustWait && lane.waiting.size >= options.waitingPerKey) throw new QueueFull(true);
    if (mustWait && waiting >= options.waiting && !makeRoom(lane)) throw new QueueFull(false);
    lanes.set(key, lane);
    await turnOf(key, lane, signal);
    try {
      return await work();
    } finally {
      lane.running--;
      running--;
      noteTurn(key, lane);
      startNext();
    }
  };
}
