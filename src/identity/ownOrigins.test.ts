import type { Request } from 'express';
import { expect, it } from 'vitest';
import { testConfig } from '#tests/helpers/testConfig.ts';
import { buildIdentity } from './authenticate.ts';
import type { ProofVerifier } from './dpop.ts';
import { networkOrigins } from './ownOrigins.ts';

const PORT = 5001;
const PUBLIC = 'https://api.example.com';

/** The origins that a proof may name, for a request to this port. */
function acceptedOrigins(production: boolean, localPort: number | undefined): string[] {
  let accepted: string[] = [];
  const verifyProof: ProofVerifier = (_, { origins }) => {
    accepted = origins;
    return { thumbprint: '', jti: '', ath: undefined };
  };
  const config = { ...testConfig({ PUBLIC_BASE_URL: PUBLIC }), production };
  const { proofOf } = buildIdentity({ config, verifyProof } as Parameters<typeof buildIdentity>[0]);
  proofOf({ method: 'GET', path: '/', get: () => 'a proof', socket: { localPort } } as unknown as Request);
  return accepted;
}

it('development accepts proofs for every address of the machine, with the port of the server', () => {
  const loopback = [`http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`, `http://[::1]:${PORT}`];
  expect(acceptedOrigins(false, PORT)).toEqual([PUBLIC, ...loopback, ...networkOrigins(PORT)]);
});

it('production accepts what is configured, and nothing else', () => {
  expect(acceptedOrigins(true, PORT)).toEqual([PUBLIC]);
});

it('a client that has hung up has no port', () => {
  expect(acceptedOrigins(false, undefined)).toEqual([PUBLIC]);
});

it('the addresses for others are URLs: no loopback, no address that needs a zone', () => {
  for (const origin of networkOrigins(PORT)) {
    expect(new URL(origin).origin).toBe(origin);
    expect(origin).not.toMatch(/localhost|127\.0\.0\.1|\[::1\]|\[fe80:/i);
  }
});
