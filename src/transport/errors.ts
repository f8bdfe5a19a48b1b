import { loginRequired } from '#identity/unauthorized.ts';
import { ApiError, notFound, unavailable, validationFailed } from '#platform/apiError.ts';
import { QueueFull, WaitedTooLong } from '#platform/fairQueue.ts';
import { DatabaseUnavailable } from '#platform/postgres/connection.ts';
import { SessionEnded } from '#platform/postgres/database.ts';

const tooManyAtOnce = () =>
  new ApiError(429, 'RATE_LIMITED', 'Too many requests.', { headers: { 'Retry-After': '1' } });
/** No client sees this answer; it is only logged. */
export const hungUp = () => new ApiError(499, 'CLIENT_CLOSED_REQUEST', 'The client hung up');

/** SQLSTATEs of text that PostgreSQL cannot hold: the character U+0000, alone or inside JSON. */
const UNSTORABLE_TEXT = ['22021', '22P05'];

/** The error answer for anything that was thrown. What is not meant for the caller is only logged. */
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

/** Errors of Express itself. A path that cannot be decoded is answered like one that does not exist. */
function fromFramework(thrown: unknown): ApiError | undefined {
  const status = (thrown as { status?: unknown } | undefined)?.status;
  if (thrown instanceof URIError) return notFound();
  if (status === 412 || status === 416) return new ApiError(status, 'PRECONDITION_FAILED', 'Precondition failed');
  return undefined;
}
