import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';
import { badRequest } from '#platform/apiError.ts';
import { unauthorized } from './unauthorized.ts';

/** How old or how far ahead the `iat` of a proof may be, in seconds. */
const WINDOW_SECONDS = 60;
const MAX_JTI_LENGTH = 256;
const MOST_KEYS = 10_000;

const invalid = () =>
  unauthorized('DPOP_PROOF_INVALID', 'Invalid DPoP proof signature or format.', 'invalid_dpop_proof');

/** Three parts of base64url; an ES256 signature has 64 bytes. */
const COMPACT_JWS = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/;
/** The path of an absolute URL as it was written, because `htu` is compared without any normalisation. */
const WRITTEN_PATH = /^https?:\/\/[^/?#\\@\s]+(\/[^?#\\\s]*)?(?:[?#]\S*)?$/i;

/** Unknown members of the JWK are ignored: phones send key_ops and ext. Coordinates are not checked here. */
const proofHeader = z.object({
  alg: z.literal('ES256'),
  typ: z.unknown().optional(),
  // Extensions that must be understood (RFC 7515 section 4.1.11); none is.
  crit: z.undefined().optional(),
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string().max(64),
    y: z.string().max(64),
    d: z.undefined().optional(),
  }),
});

const proofPayload = z.object({
  jti: z.unknown().optional(),
  htm: z.unknown().optional(),
  htu: z.unknown().optional(),
  iat: z.unknown().optional(),
  ath: z.unknown().optional(),
});

/** What a proof has to agree with. */
interface ProvenRequest {
  method: string;
  /** Path as requested, without the query. */
  path: string;
  /** Origins that `htu` may name; never taken from the request's Host. */
  origins: string[];
}

export interface Proof {
  /** RFC 7638 thumbprint of the proof's key over the strings as they were sent. */
  thumbprint: string;
  jti: string;
  /** base64url SHA-256 of an access token; only protected routes check it. */
  ath: unknown;
}

/** @throws ApiError 401 with the code of the check that failed */
export type ProofVerifier = (proof: string | undefined, request: ProvenRequest) => Proof;

/**
 * Makes the verifier of checks 1 to 7 of behaviour 0.8 (RFC 9449 section 4.3), in that order. The
 * replay check (8) needs the shared replay store, checks 9 and 10 need the token: see `authenticate.ts`
 * and the refresh route. The verifier caches the keys that it saw last, because importing a key
 * costs as much as verifying a signature.
 */
export function buildProofVerifier(): ProofVerifier {
  const importedKeys: KeyCache = new Map();
  return (proof, request) => verifyProof(proof, request, importedKeys);
}

function verifyProof(proof: string | undefined, request: ProvenRequest, importedKeys: KeyCache): Proof {
  if (!proof) {
    throw unauthorized('DPOP_PROOF_MISSING', 'DPoP proof is missing in the request.', 'invalid_dpop_proof');
  }
  const { header, payload, thumbprint } = verifySignature(proof, importedKeys);
  if (typeof header.typ !== 'string' || header.typ.toLowerCase() !== 'dpop+jwt') {
    throw unauthorized('DPOP_TYP_INVALID', 'Invalid DPoP typ.', 'invalid_dpop_proof');
  }
  if (payload.htm !== request.method) {
    throw unauthorized('DPOP_HTM_MISMATCH', 'DPoP proof HTM mismatch.', 'invalid_dpop_proof');
  }
  checkTarget(payload.htu, request);
  const age = typeof payload.iat === 'number' ? Date.now() / 1000 - payload.iat : Number.NaN;
  if (!(Math.abs(age) <= WINDOW_SECONDS)) {
    const message = 'DPoP proof is expired or timestamp is invalid.';
    throw unauthorized('DPOP_PROOF_EXPIRED', message, 'invalid_dpop_proof');
  }
  const { jti } = payload;
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > MAX_JTI_LENGTH) throw invalid();
  return { thumbprint, jti, ath: payload.ath };
}

/** Check 9: the proof was made with the key that the token is bound to. */
export function assertSameKey(boundThumbprint: string | undefined, proof: Proof): void {
  if (boundThumbprint !== undefined && equal(boundThumbprint, proof.thumbprint)) return;
  throw unauthorized('DPOP_KEY_MISMATCH', 'Proof-of-Possession failed (JKT mismatch).', 'invalid_token');
}

/** Check 10: the proof was made for this very access token. */
export function assertTokenHash(accessToken: string, proof: Proof): void {
  const expected = createHash('sha256').update(accessToken).digest('base64url');
  if (typeof proof.ath === 'string' && equal(expected, proof.ath)) return;
  throw unauthorized('DPOP_ATH_MISMATCH', "DPoP ath doesn't match.", 'invalid_token');
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Check 2. */
function verifySignature(proof: string, importedKeys: KeyCache) {
  const [, headerPart, payloadPart, signaturePart] = COMPACT_JWS.exec(proof) ?? [];
  if (!headerPart || !payloadPart || !signaturePart) throw invalid();
  const header = decode(headerPart, proofHeader);
  const payload = decode(payloadPart, proofPayload);
  const thumbprint = thumbprintOf(header.jwk);
  const signed = Buffer.from(`${headerPart}.${payloadPart}`);
  const signature = Buffer.from(signaturePart, 'base64url');
  const key = importedKey(thumbprint, header.jwk, importedKeys);
  if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) throw invalid();
  return { header, payload, thumbprint };
}

function decode<T>(part: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
  } catch {
    throw invalid();
  }
}

type Coordinates = z.infer<typeof proofHeader>['jwk'];

/**
 * RFC 7638 over the raw strings: the app's crypto library pads coordinates with a trailing dot and
 * computes its own thumbprint with that dot.
 */
function thumbprintOf({ x, y }: Coordinates): string {
  const members = `{"crv":"P-256","kty":"EC","x":${JSON.stringify(x)},"y":${JSON.stringify(y)}}`;
  return createHash('sha256').update(members).digest('base64url');
}

/** Imported keys by thumbprint, oldest use first. */
type KeyCache = Map<string, KeyObject>;

function importedKey(thumbprint: string, { x, y }: Coordinates, importedKeys: KeyCache): KeyObject {
  const known = importedKeys.get(thumbprint);
  importedKeys.delete(thumbprint);
  const key = known ?? importKey(x, y);
  importedKeys.set(thumbprint, key);
  const [oldest] = importedKeys.keys();
  if (importedKeys.size > MOST_KEYS && oldest !== undefined) importedKeys.delete(oldest);
  return key;
}

function importKey(x: string, y: string): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) } });
  } catch {
    throw invalid();
  }
}

/** Normalises the spellings of base64url that phones send: padded with `.` or `=`, or in the alphabet of base64. */
function base64url(text: string): string {
  return text
    .replace(/[.=]+$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** Checks 5a and 5b. */
function checkTarget(htu: unknown, { path, origins }: ProvenRequest): void {
  const target = typeof htu === 'string' && URL.canParse(htu) ? new URL(htu) : undefined;
  if (!target || !origins.includes(target.origin)) {
    throw unauthorized('DPOP_HOST_NOT_ALLOWED', 'DPoP request host not allowed.', 'invalid_dpop_proof');
  }
  const written = WRITTEN_PATH.exec(String(htu));
  if (!written || withoutTrailingSlash(written[1] ?? '/') !== withoutTrailingSlash(path)) {
    throw unauthorized('DPOP_HTU_MISMATCH', 'DPoP proof HTU mismatch.', 'invalid_dpop_proof');
  }
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The key binding of a sign-in: the thumbprint that later proofs must have.
 * @throws ApiError 400 `DPOP_BINDING_MISSING` or `DPOP_BINDING_INVALID`
 */
export function parseKeyBinding(header: string | undefined): string {
  if (!header) throw badRequest('DPOP_BINDING_MISSING', 'DPoP-Key-Binding header is missing.');
  const thumbprint = base64url(header);
  if (!/^[A-Za-z0-9_-]{43}$/.test(thumbprint)) {
    throw badRequest('DPOP_BINDING_INVALID', 'DPoP-Key-Binding header is invalid.');
  }
  return thumbprint;
}
