import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

/** A phone's key with the public part as that phone writes it. */
export interface ProofKey {
  privateKey: KeyObject;
  jwk: Record<string, unknown>;
  thumbprint: string;
}

/**
 * @param style `phone`: as react-native-quick-crypto exports it, coordinates padded with a dot
 */
export function proofKey(style: 'plain' | 'phone' = 'plain'): ProofKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const exported = publicKey.export({ format: 'jwk' });
  const pad = style === 'phone' ? '.' : '';
  const [x, y] = [`${exported.x}${pad}`, `${exported.y}${pad}`];
  const extra = style === 'phone' ? { key_ops: ['verify'], ext: true } : {};
  const thumbprint = createHash('sha256')
    .update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)
    .digest('base64url');
  return { privateKey, jwk: { ...extra, kty: 'EC', crv: 'P-256', x, y }, thumbprint };
}

export interface ProofParts {
  header?: Record<string, unknown>;
  payload?: Record<string, unknown>;
  accessToken?: string | undefined;
  /** Changes the signature. */
  tamper?: boolean;
}

/** A proof for `METHOD url`, with parts replaced as a test wants them; a part set to undefined is left out. */
export function makeProof(key: ProofKey, request: string, parts: ProofParts = {}): string {
  const [htm, url] = request.split(' ') as [string, string];
  const target = new URL(url);
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...parts.header };
  const payload = {
    jti: randomUUID(),
    htm,
    htu: target.origin + target.pathname,
    iat: Math.floor(Date.now() / 1000),
    ...(parts.accessToken === undefined ? {} : { ath: sha256(parts.accessToken) }),
    ...parts.payload,
  };
  const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  if (parts.tamper) signature.writeUInt8(signature.readUInt8(0) ^ 1, 0);
  return `${signed}.${signature.toString('base64url')}`;
}

export const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
