import { ApiError } from '#platform/apiError.ts';

/**
 * A 401 of the guard or of refresh, with the challenge of RFC 9449 section 7.1.
 * @param error `invalid_dpop_proof`, `invalid_token`, or undefined when no credentials were sent
 */
export function unauthorized(code: string, message: string, error?: 'invalid_dpop_proof' | 'invalid_token'): ApiError {
  const challenge = error ? `DPoP error="${error}", algs="ES256"` : 'DPoP algs="ES256"';
  return new ApiError(401, code, message, { headers: { 'WWW-Authenticate': challenge } });
}

export const loginRequired = () => unauthorized('LOGIN_REQUIRED', 'New login required', 'invalid_token');
