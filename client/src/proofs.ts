import { base64url, type ProofKey, randomId, utf8, webSha256 } from './keys.ts';

export interface ProofTarget {
  method: string;
  /** The query does not count. */
  url: string;
  /** Binds the proof to this token. */
  accessToken?: string | undefined;
}

/** A DPoP proof for one request (RFC 9449, section 4.2): good once, for a minute. */
export async function signProof(key: ProofKey, { method, url, accessToken }: ProofTarget): Promise<string> {
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk };
  const sha256 = key.sha256 ?? webSha256;
  const payload = {
    jti: randomId(),
    htm: method.toUpperCase(),
    htu: url.replace(/[?#].*$/, ''),
    iat: Math.floor(Date.now() / 1000),
    ...(accessToken ? { ath: base64url(await sha256(utf8(accessToken))) } : {}),
  };
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${base64url(await key.sign(utf8(signed)))}`;
}

const encode = (value: object) => base64url(utf8(JSON.stringify(value)));
