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
 * (behaviour 0.3). On a protected route a domain error never has status 401.
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

/** Most problems that an answer lists: nobody acts on more, and an answer should not grow with what was sent. */
export const MOST_PROBLEMS = 20;

/** 400 with the problems of the first fields; the first one is the message. */
export function validationFailed(errors: FieldProblem[]): ApiError {
  const shown = errors.slice(0, MOST_PROBLEMS);
  return new ApiError(400, 'VALIDATION_FAILED', shown[0]?.message ?? 'Invalid request', { errors: shown });
}
