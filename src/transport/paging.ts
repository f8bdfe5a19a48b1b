import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { badRequest } from '#platform/apiError.ts';
import type { Secrets } from '#src/config.ts';

const MAC_BYTES = 12;

/** Query of a list: how many, and where to go on. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many, at most 200.' }),
  cursor: z.string().max(500).optional().meta({ description: 'nextCursor of the page before.' }),
};

/** A page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

const macOf = ({ JWT_ACCESS_SECRET: secret }: Secrets, text: string): string =>
  createHmac('sha256', secret).update(`cursor:${text}`).digest().subarray(0, MAC_BYTES).toString('base64url');

/** Where the next page begins, as text that only this server makes. @param position of the last item, such as `[start, id]` */
function cursorAfter(secrets: Secrets, position: string[]): string {
  const text = Buffer.from(JSON.stringify(position)).toString('base64url');
  return `${text}.${macOf(secrets, text)}`;
}

/** @throws ApiError 400 `INVALID_CURSOR` for one that was altered */
export function positionOf(secrets: Secrets, cursor: string): string[] {
  const [text = '', mac = ''] = cursor.split('.');
  // Compared as text: bits behind the last byte of base64url are ignored when it is decoded.
  const [given, right] = [Buffer.from(mac), Buffer.from(macOf(secrets, text))];
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw badRequest('INVALID_CURSOR', 'The cursor is not one that this server gave');
  }
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as string[];
}

/**
 * Cuts a list of one more than asked for into a page.
 * @param rows `limit + 1` of them, if there are so many; or fewer, the last of which tells how many follow it
 * @param positionOfRow where the next page begins after this row
 */
export function page<Row, Item>(
  secrets: Secrets,
  rows: Array<Row & { following?: number }>,
  limit: number,
  present: (row: Row) => Item,
  positionOfRow: (row: Row) => string[],
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const hasMore = rows.length > limit || (rows.at(-1)?.following ?? 0) > 0;
  const last = hasMore ? shown.at(-1) : undefined;
  return { items: shown.map(present), nextCursor: last ? cursorAfter(secrets, positionOfRow(last)) : null };
}
