import { ApiError } from '#platform/apiError.ts';

/** Stands for any version in what `expectedVersions` returns. */
const ANY = -1;

/**
 * What `If-Match` asks for (RFC 9110, section 13.1.1), for a function of the database: the versions of which one must be
 * the present one, -1 if any will do. Null: nothing is asked for. A weak ETag matches nothing.
 */
export function expectedVersions(header: string | undefined): number[] | null {
  if (header === undefined) return null;
  if (header.trim() === '*') return [ANY];
  const tags = header.split(',').map((entry) => /^"(\d{1,15})(?:-gzip)?"$/.exec(entry.trim())?.[1]);
  return tags.filter((tag) => tag !== undefined).map(Number);
}

/** @param version the present one @throws ApiError 412 when it is not expected */
export function assertExpected(expected: number[] | null, version: number): void {
  if (expected && !expected.includes(version) && !expected.includes(ANY)) throw preconditionFailed(version);
}

/** @param version the present one; 0: there is no such document */
export function preconditionFailed(version: number): ApiError {
  return new ApiError(412, 'PRECONDITION_FAILED', 'The document is not the one that If-Match names', {
    headers: version > 0 ? { ETag: `"${version}"` } : {},
  });
}
