/** The receiver will never accept this; another attempt is pointless. */
export class PermanentError extends Error {}

/** The receiver asks to be called later; the attempt does not count. */
export class Throttled extends Error {
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super(message);
    this.waitMs = waitMs;
  }
}
