import type { Outbox } from '#outbox/outbox.ts';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';

interface Operator {
  config: Config;
  db: Database;
  /** A login that owns the tables. */
  ownerUrl: string;
  log: Log;
  /** Delivered by the workers of a running server. */
  outbox: Outbox;
  /** The arguments after the command's name. */
  args: string[];
  /** Prints a line. */
  say: (line: string) => void;
  /** Prints the progress; on a terminal it replaces the line before. */
  progress: (line: string) => void;
}

/** A command that an operator runs by hand. @throws UsageError */
export type Command = (operator: Operator) => Promise<void>;

/** The command was called wrongly; the message says how to call it. */
export class UsageError extends Error {}
