import { hash, verify } from '@node-rs/bcrypt';
import { fairQueue } from './fairQueue.ts';

const COST = 10;
/** bcrypt reads no more than this many bytes (Provos & Mazières 1999); longer passwords are refused, not cut. */
export const MAX_PASSWORD_BYTES = 72;

/** The hash of nobody's password: compared with where an account has none, so that the answer takes as long. */
const NOBODYS_HASH = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZpQ6M0p1WkG0hYb2x2v1u4q2cJb9yS';

/**
 * Two hashes are computed at once: Node has four threads for this kind of work, and signatures, files and new
 * database connections need them too. Askers take turns, so that a flood from one address delays nobody on another.
 */
const TURNS = { atOnce: 2, atOncePerKey: 2, waitingPerKey: 250, waiting: 500, longestWaitMs: 30_000 };

interface Hashing {
  /** bcrypt, cost 10, off the event loop. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. It costs the same whether there is a hash or not, so
   * that the time of an answer does not tell who has an account.
   */
  matches(password: string, passwordHash: string | null | undefined): Promise<boolean>;
}

export interface Passwords {
  /**
   * Does work that hashes or compares a password when the asker's turn comes.
   * @param asker the network of the client's address
   * @param signal gives up the turn when it aborts
   * @throws QueueFull, WaitedTooLong
   */
  inTurn<T>(asker: string, work: (hashing: Hashing) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function buildPasswords(): Passwords {
  const turns = fairQueue(TURNS);
  const hashing: Hashing = {
    hash: (password) => hash(password, COST),
    matches: async (password, passwordHash) => {
      const same = await verify(password, passwordHash ?? NOBODYS_HASH);
      return same && typeof passwordHash === 'string' && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
    },
  };
  return { inTurn: (asker, work, signal) => turns(asker, () => work(hashing), signal) };
}
