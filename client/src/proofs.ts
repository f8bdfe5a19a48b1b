import { base64url, type DeviceKey, sha256 } from './keys.ts';

export interface ProofTarget {
  method: string;
  /** The query does not count. */
  url: string;
  /** Binds the proof to this token. */
  accessToken?: string | undefined;
}

/** A DPoP proof for one request (RFC 9449 section 4.2): ES256, good once, for a minute. */
export async function signProof(key: DeviceKey, { method, url, accessToken }: ProofTarget): Promise<string> {
  const target = new URL(url);
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk };
  const payload = {
    jti: crypto.randomUUID(),
    htm: method.toUpperCase(),
    htu: target.origin + target.pathname,
    iat: Math.floor(Date.now() / 1000),
    ...(accessToken ? { ath: await sha256(accessToken) } : {}),
  };
  const signed = `${encode(header)}.${encode(payload)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

const encode = (value: object) => base64url(new TextEncoder().encode(JSON.stringify(value)));
