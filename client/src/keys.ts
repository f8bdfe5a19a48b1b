type PrivateKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The key of a phone: tokens are bound to it and useless without it. */
export interface DeviceKey {
  privateKey: PrivateKey;
  /** Public part, as it stands in the header of every proof. */
  jwk: { kty: 'EC'; crv: 'P-256'; x: string; y: string };
  /** RFC 7638 SHA-256 thumbprint: the value of DPoP-Key-Binding. */
  thumbprint: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

/** Makes a P-256 key. By default the private part cannot leave the platform's key store. */
export async function generateKey(extractable = false): Promise<DeviceKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, extractable, ['sign', 'verify']);
  const { x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  if (!x || !y) throw new Error('the platform exported a key without coordinates');
  const jwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  const members = `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`;
  return { privateKey, jwk, thumbprint: await sha256(members) };
}

/** base64url SHA-256 of a text. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

export function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
