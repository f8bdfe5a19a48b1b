import { type Logger, pino } from 'pino';
import { requestId } from './requestId.ts';
import { traceId } from './tracing.ts';

export type Log = Logger;

/**
 * The log of the process: one line of JSON for each event, on standard output, with the ids of the request and of the
 * trace that the event belongs to, in the process that delivers a mail for it as well. Nothing is logged that could identify
 * a person or give access: no tokens, addresses, links, or values of rows in database errors.
 */
export function buildLog(level: string, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => {
      const [request, trace] = [requestId(), traceId()];
      return { ...(request && { requestId: request }), ...(trace && { traceId: trace }) };
    },
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * What may be logged of an error: type, code, constraint and stack. Messages of SQLSTATE classes 22
 * and 23 quote the caller's values, so they are replaced by the code.
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
