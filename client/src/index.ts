export type { Upload } from './api.ts';
export {
  type CallOptions,
  type ClientOptions,
  type Input,
  type Method,
  type Output,
  type PathOf,
  type SessionKind,
  StrongTogetherClient,
  type Tokens,
} from './client.ts';
export { ApiFailure, type FieldError } from './failure.ts';
export { generateKey, keyFromPair, type ProofKey, type PublicJwk, thumbprintOf } from './keys.ts';
export { type ProofTarget, signProof } from './proofs.ts';
