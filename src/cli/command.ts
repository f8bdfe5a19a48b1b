import type { Outbox } from '#outbox/outbox.ts';
import type { Log } from '#platform/log.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';

interface Operator {
  config: Config;
  db: Database;
  log: Log;
  /** Delivered by the workers of a running server. */
  outbox: Outbox;
  /** What stands behind the command's name. */
  args: string[];
  /** Prints a line. */
  say: (line: string) => void;
  /** Prints how far it is, over the line before where there is a terminal. */
  progress: (line: string) => void;
}

/** Something an operator asks for by hand. @throws UsageError */
export type Command = (operator: Operator) => Promise<void>;

/** The command was called wrongly; the message says how to call it. */
export class UsageError extends Error {}
