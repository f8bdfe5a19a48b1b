/** A field of the request, and what is wrong with it. */
export interface FieldError {
  /** Such as `workout.0.reps`. */
  path: string;
  message: string;
}

/** What the server says of a failure. */
interface ErrorBody {
  message: string;
  code: string;
  requestId: string;
  errors: FieldError[];
}

/** An answer that is not a success. `message` is meant for a person, `code` for a program. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  /** Stable, such as `INVALID_CREDENTIALS`; `UNKNOWN` where something else than the server answered. */
  readonly code: string;
  /** Names the request in the server's log. */
  readonly requestId: string;
  readonly errors: readonly FieldError[];

  constructor(status: number, body: Partial<ErrorBody>) {
    super(body.message ?? `The server answered ${status}`);
    this.status = status;
    this.code = body.code ?? 'UNKNOWN';
    this.requestId = body.requestId ?? '';
    this.errors = body.errors ?? [];
  }
}
