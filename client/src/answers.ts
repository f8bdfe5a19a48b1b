import { ApiFailure } from './failure.ts';

/** An answer that was read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Of a file that is no text. */
  blob?: Blob;
}

const isSuccess = ({ status }: Answer) => status >= 200 && status < 300;

function parsed({ headers, text, blob }: Answer): unknown {
  if (blob) return blob;
  const isJson = headers.get('content-type')?.includes('json') ?? false;
  return isJson && text ? JSON.parse(text) : text || undefined;
}

/** What a failed answer says; undefined for a success. */
export function failureOf(answer: Answer): ApiFailure | undefined {
  if (isSuccess(answer)) return undefined;
  let said: unknown;
  try {
    const body = parsed(answer);
    if (typeof body === 'object') said = body;
  } catch {
    said = undefined; // cut off, or not from the server
  }
  const requestId = answer.headers.get('x-request-id') ?? '';
  return new ApiFailure(answer.status, { requestId, ...(isProblem(said) ? plain(said) : (said as object)) });
}

/** Problem details (RFC 9457): what the routes below `/api/v1` say of a failure. */
interface Problem {
  detail: string;
  errors?: Array<{ pointer: string; detail: string }>;
}

const isProblem = (said: unknown): said is Problem => typeof said === 'object' && said !== null && 'detail' in said;

/** The same as the other routes say it. */
function plain({ detail: message, errors = [], ...problem }: Problem): object {
  const named = errors.map(({ pointer, detail }) => ({ path: pointer.slice(1).replaceAll('/', '.'), message: detail }));
  return { ...problem, message, errors: named };
}

/** The body of a success. @throws ApiFailure for any other answer */
export function bodyOf(answer: Answer): unknown {
  const failure = failureOf(answer);
  if (failure) throw failure;
  return parsed(answer);
}

interface Kept {
  etag: string;
  answer: Answer;
}

/** The newest answers with an ETag, by URL; the one that was not used for the longest time goes first. */
export class KeptAnswers {
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  find(url: string): Kept | undefined {
    const kept = this.#kept.get(url);
    if (kept) this.#put(url, kept);
    return kept;
  }

  keep(url: string, answer: Answer): void {
    const etag = answer.headers.get('etag');
    if (answer.status === 200 && etag) this.#put(url, { etag, answer });
  }

  #put(url: string, kept: Kept): void {
    this.#kept.delete(url);
    this.#kept.set(url, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }
}
