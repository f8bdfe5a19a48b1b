import { z } from 'zod';

/** An answer without a body. */
export const noBody = z.undefined();
/** A page for a person's browser. */
export const htmlPage = z.string();
/** The query of a link from a mail. */
export const linkQuery = z.object({ token: z.string().optional().catch(undefined) });
