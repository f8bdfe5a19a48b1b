import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ClientAddress } from '#platform/clientAddress.ts';
import type { SecretName } from '#src/config.ts';

/** How long a mailed code works, in seconds. */
export const CODE_LIFETIME = 10 * 60;
/** Codes of one address, asked for from one network, that work at the same time. */
export const MOST_CODES = 3;
const CODES = 100_000_000;

type Secrets = Record<SecretName, string>;

const macOf = (secrets: Secrets, text: string): Buffer =>
  createHmac('sha256', secrets.JWT_FORGOT_PASSWORD_SECRET).update(text).digest();

/** The eight digits that belong to a stored nonce: made of it and a secret, so they are stored nowhere. */
export const codeOf = (secrets: Secrets, nonce: string): string =>
  String(macOf(secrets, `sign-in code ${nonce}`).readUIntBE(0, 6) % CODES).padStart(8, '0');

export const isCode = (secrets: Secrets, nonce: string, code: string): boolean =>
  timingSafeEqual(Buffer.from(codeOf(secrets, nonce)), Buffer.from(code));

/** Recognises a network without storing its address. */
export const networkMark = (secrets: Secrets, { network }: ClientAddress): string =>
  macOf(secrets, `network ${network}`).toString('base64url').slice(0, 22);
