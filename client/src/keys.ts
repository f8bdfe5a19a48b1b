/** Public part of a key on the curve P-256, as it stands in the header of every proof. */
export interface PublicJwk {
  kty: 'EC';
  crv: 'P-256';
  /** Coordinates, base64url. */
  x: string;
  y: string;
}

/**
 * A key that tokens are bound to: they are useless without it. Make one with `generateKey`, or hand over your own
 * where the platform keeps keys elsewhere (Secure Enclave, Android Keystore).
 */
export interface ProofKey {
  readonly jwk: PublicJwk;
  /** RFC 7638 thumbprint of `jwk` (`thumbprintOf`): what tokens name the key by. */
  readonly thumbprint: string;
  /** ES256: signs the SHA-256 of the bytes. @returns r and s, 32 bytes each (not DER) */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  /** SHA-256 of bytes; only needed where the platform has no `crypto.subtle`. */
  sha256?(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A `CryptoKeyPair` of WebCrypto. */
interface KeyPair {
  privateKey: object;
  publicKey: object;
}

// Named by way of the functions that take them: the names themselves differ between Node and browsers.
type CryptoKey = Parameters<typeof crypto.subtle.sign>[1];
type Bytes = Parameters<typeof crypto.subtle.sign>[2];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/** Makes a key whose private part cannot leave WebCrypto. It lives as long as the object: see `keyFromPair`. */
export async function generateKey(): Promise<ProofKey> {
  return keyFromPair(await crypto.subtle.generateKey(ALGORITHM, false, ['sign']));
}

/**
 * A key of WebCrypto that you made and keep yourself, so that a session outlives the page: browsers store a
 * non-extractable `CryptoKeyPair` in IndexedDB.
 */
export async function keyFromPair({ privateKey, publicKey }: KeyPair): Promise<ProofKey> {
  const { x, y } = await crypto.subtle.exportKey('jwk', publicKey as CryptoKey);
  if (!x || !y) throw new Error('this is not a key on the curve P-256');
  const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  return {
    jwk,
    thumbprint: await thumbprintOf(jwk),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(SIGNATURE, privateKey as CryptoKey, bytes as Bytes)),
  };
}

/** RFC 7638 SHA-256 thumbprint, base64url. */
export async function thumbprintOf({ x, y }: PublicJwk, sha256 = webSha256): Promise<string> {
  // The required members in this order, without white space: another text is another thumbprint.
  return base64url(await sha256(utf8(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
}

export async function webSha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Bytes));
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** 128 random bits. They only have to differ, so a platform without `crypto` may do without a good source. */
export function randomId(): string {
  const bytes = new Uint8Array(16);
  if (typeof crypto === 'object') crypto.getRandomValues(bytes);
  else
    bytes.forEach((_, index) => {
      bytes[index] = Math.random() * 256;
    });
  return base64url(bytes);
}
