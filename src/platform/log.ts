import { type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * The process's log: one JSON line an event on standard output. What could identify a person or
 * open a door (tokens, addresses, links, row values in database errors) has no field here.
 */
export function buildLog(level: string, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * What of an error may be logged: type, code, constraint and stack. Messages of SQLSTATE classes 22
 * and 23 quote the caller's values, so those give way to the code.
 */
function describeError(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  const { code, constraint, table } = thrown as Error & { code?: string; constraint?: string; table?: string };
  const quotesValues = typeof code === 'string' && /^2[23]...$/.test(code);
  const message = quotesValues ? `SQLSTATE ${code}` : thrown.message;
  const stack = thrown.stack?.replace(thrown.message, message);
  const cause = thrown.cause === undefined ? {} : { cause: describeError(thrown.cause) };
  return { type: thrown.name, message, code, constraint, table, stack, ...cause };
}
