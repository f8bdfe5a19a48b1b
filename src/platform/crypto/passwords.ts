import { hash, verify } from '@node-rs/bcrypt';

const COST = 10;
/** bcrypt reads no more than this many bytes (Provos & Mazières 1999); longer passwords are refused, not cut. */
export const MAX_PASSWORD_BYTES = 72;

/** A hash of no password that anybody has; compared against when there is nothing else to compare. */
const NOBODYS_HASH = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZpQ6M0p1WkG0hYb2x2v1u4q2cJb9yS';

/** bcrypt, cost 10, computed off the event loop. */
export const hashPassword = (password: string): Promise<string> => hash(password, COST);

/**
 * Whether the password belongs to the hash. It costs the same whether there is a hash or not, so
 * that the time of an answer does not tell who has an account.
 */
export async function passwordMatches(password: string, passwordHash: string | null | undefined): Promise<boolean> {
  const matches = await verify(password, passwordHash ?? NOBODYS_HASH);
  return matches && typeof passwordHash === 'string' && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
}
