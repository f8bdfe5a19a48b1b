import { QueueFull, WaitedTooLong } from '#platform/fairQueue.ts';
import { DatabaseUnavailable, SessionEnded } from '#platform/postgres/database.ts';

export interface FieldProblem {
  /** Dotted path inside the request, e.g. `workout.0.reps`. */
  path: string;
  message: string;
}

interface ErrorDetails {
  headers?: Record<string, string>;
  errors?: FieldProblem[];
}

/**
 * An answer that is not a success: status, stable code and a text that the app shows to a person
 * (contract 0.3). On a protected route a domain error never has status 401.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  readonly errors: FieldProblem[] | undefined;

  constructor(status: number, code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = details.headers ?? {};
    this.errors = details.errors;
  }
}

export const notFound = (message = 'Not found', code = 'NOT_FOUND') => new ApiError(404, code, message);
export const forbidden = (message = 'Forbidden') => new ApiError(403, 'FORBIDDEN', message);
export const badRequest = (code: string, message: string) => new ApiError(400, code, message);
export const invalidCredentials = () => new ApiError(401, 'INVALID_CREDENTIALS', 'Invalid credentials');
export const tooLarge = (message = 'Request body too large') => new ApiError(413, 'PAYLOAD_TOO_LARGE', message);
export const unavailable = () =>
  new ApiError(503, 'SERVICE_UNAVAILABLE', 'Service temporarily unavailable', { headers: { 'Retry-After': '5' } });

const tooManyAtOnce = () =>
  new ApiError(429, 'RATE_LIMITED', 'Too many requests.', { headers: { 'Retry-After': '1' } });
/** Nobody reads this answer; it stands in the log. */
export const hungUp = () => new ApiError(499, 'CLIENT_CLOSED_REQUEST', 'The client hung up');

/** A person cannot act on more of them, and an answer should not grow with what was sent. */
export const MOST_PROBLEMS = 20;

/** 400 with the problems of the first fields; the first one is the message. */
export function validationFailed(errors: FieldProblem[]): ApiError {
  const shown = errors.slice(0, MOST_PROBLEMS);
  return new ApiError(400, 'VALIDATION_FAILED', shown[0]?.message ?? 'Invalid request', { errors: shown });
}

/**
 * A 401 of the guard or of refresh, with the challenge of RFC 9449 section 7.1.
 * @param error `invalid_dpop_proof`, `invalid_token`, or undefined when no credentials were sent
 */
export function unauthorized(code: string, message: string, error?: 'invalid_dpop_proof' | 'invalid_token'): ApiError {
  const challenge = error ? `DPoP error="${error}", algs="ES256"` : 'DPoP algs="ES256"';
  return new ApiError(401, code, message, { headers: { 'WWW-Authenticate': challenge } });
}

export const loginRequired = () => unauthorized('LOGIN_REQUIRED', 'New login required', 'invalid_token');

/** SQLSTATEs of text that PostgreSQL cannot hold: the character U+0000, alone or inside JSON. */
const UNSTORABLE_TEXT = ['22021', '22P05'];

/** What the caller is told of anything that was thrown; undefined details stay in the log. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof SessionEnded) return loginRequired();
  if (thrown instanceof QueueFull) return thrown.ofKey ? tooManyAtOnce() : unavailable();
  if (thrown instanceof DatabaseUnavailable || thrown instanceof WaitedTooLong) return unavailable();
  if (UNSTORABLE_TEXT.includes((thrown as { code?: string } | undefined)?.code ?? '')) {
    return validationFailed([{ path: '', message: 'Text contains characters that cannot be stored' }]);
  }
  return fromFramework(thrown) ?? new ApiError(500, 'INTERNAL_ERROR', 'Internal server error');
}

/** What Express refuses by itself: a path that cannot be decoded is no path here. */
function fromFramework(thrown: unknown): ApiError | undefined {
  const status = (thrown as { status?: unknown } | undefined)?.status;
  if (thrown instanceof URIError) return notFound();
  if (status === 412 || status === 416) return new ApiError(status, 'PRECONDITION_FAILED', 'Precondition failed');
  return undefined;
}
