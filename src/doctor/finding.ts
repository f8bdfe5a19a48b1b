/** What a look at one thing found: a plain sentence, with what to do where something is wrong. */
export interface Finding {
  /** `fail`: the server does not work, or not safely. `warn`: it works, and somebody should know. */
  is: 'ok' | 'warn' | 'fail';
  text: string;
}

export const ok = (text: string): Finding => ({ is: 'ok', text });
export const warn = (text: string): Finding => ({ is: 'warn', text });
export const fail = (text: string): Finding => ({ is: 'fail', text });

/** The reason of an error without what is internal or secret: a code, or else its name. */
export function reasonOf(error: unknown): string {
  const { code, name, cause } = error as { code?: string; name?: string; cause?: { code?: string } };
  return code ?? cause?.code ?? name ?? 'unknown';
}
