/** Whoever should take this never will; another attempt is pointless. */
export class PermanentError extends Error {}

/** Whoever should take this asks for time; the attempt does not count. */
export class Throttled extends Error {
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super(message);
    this.waitMs = waitMs;
  }
}
