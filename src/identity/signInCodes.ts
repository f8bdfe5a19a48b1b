import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SecretName } from '#src/config.ts';

/** How long a mailed code works, in seconds. */
export const CODE_LIFETIME = 10 * 60;
const CODES = 100_000_000;
const NOBODY = '00000000-0000-0000-0000-000000000000';

type Secrets = Record<SecretName, string>;

/** The eight digits that belong to a stored nonce: made of it and a secret, so they are stored nowhere. */
export function codeOf(secrets: Secrets, nonce: string): string {
  const mac = createHmac('sha256', secrets.JWT_FORGOT_PASSWORD_SECRET).update(`sign-in code ${nonce}`).digest();
  return String(mac.readUIntBE(0, 6) % CODES).padStart(8, '0');
}

/** @param nonce undefined: no code is right, and finding out takes as long */
export const isCode = (secrets: Secrets, nonce: string | undefined, code: string): boolean => {
  const isSame = timingSafeEqual(Buffer.from(codeOf(secrets, nonce ?? NOBODY)), Buffer.from(code));
  return nonce !== undefined && isSame;
};
