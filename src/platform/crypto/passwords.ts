import { hash, verify } from '@node-rs/bcrypt';
import { takeTurns } from '#platform/turns.ts';

const COST = 10;
/** bcrypt reads no more than this many bytes (Provos & Mazières 1999); longer passwords are refused, not cut. */
export const MAX_PASSWORD_BYTES = 72;

/** A hash of no password that anybody has; compared against when there is nothing else to compare. */
const NOBODYS_HASH = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZpQ6M0p1WkG0hYb2x2v1u4q2cJb9yS';

/**
 * How many are computed at once. Node has four threads for this kind of work, and signatures, files and
 * new database connections need them too: a burst of logins must not make those wait.
 */
const AT_ONCE = 2;

export interface Passwords {
  /** bcrypt, cost 10, off the event loop. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. It costs the same whether there is a hash or not, so
   * that the time of an answer does not tell who has an account.
   */
  matches(password: string, passwordHash: string | null | undefined): Promise<boolean>;
}

export function buildPasswords(): Passwords {
  const inTurn = takeTurns(AT_ONCE);
  return {
    hash: (password) => inTurn(() => hash(password, COST)),
    matches: async (password, passwordHash) => {
      const same = await inTurn(() => verify(password, passwordHash ?? NOBODYS_HASH));
      return same && typeof passwordHash === 'string' && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
    },
  };
}
