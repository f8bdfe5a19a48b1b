import type { Identity } from '#identity/authenticate.ts';
import type { ProviderTokens } from '#identity/providerTokens.ts';
import type { ReplayStore } from '#identity/replayStore.ts';
import type { SessionTokens } from '#identity/sessionTokens.ts';
import type { SocketTickets } from '#identity/socketTickets.ts';
import type { Outbox } from '#outbox/outbox.ts';
import type { Cache } from '#platform/cache.ts';
import type { JobQueues } from '#platform/jobQueues.ts';
import type { Limits } from '#platform/limits.ts';
import type { Log } from '#platform/log.ts';
import type { Mailbox } from '#platform/mail/mailbox.ts';
import type { Passwords } from '#platform/passwords.ts';
import type { PictureCleaner } from '#platform/picture.ts';
import type { Database, Transaction } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Config } from '#src/config.ts';
import type { HeldStep } from './outageHold.ts';

/**
 * Emits a message that this transaction has written to its receiver's sockets, after the commit.
 * @param zone of the request that caused it; absent: the receiver's stored one
 */
export type AnnounceMessage = (tx: Transaction, id: string, zone?: string) => Promise<void>;

/** What requests are answered with: built once by `src/dependencies.ts` and passed down, never imported as state. */
export interface Deps {
  config: Config;
  log: Log;
  db: Database;
  /** Payloads of single people; never asked for anything that decides who may do what. */
  cache: Cache;
  limits: Limits;
  identity: Identity;
  replayStore: ReplayStore;
  sessionTokens: SessionTokens;
  providerTokens: ProviderTokens;
  socketTickets: SocketTickets;
  sockets: Sockets;
  passwords: Passwords;
  /** Holds a request while the database is away. */
  outageHold: (signal: AbortSignal) => HeldStep;
  pictures: PictureStorage;
  cleanPicture: PictureCleaner;
  /** Only where mails are kept for reading instead of being sent; never in production. */
  mailbox: Mailbox | undefined;
  /** Undefined without Redis. */
  jobs: JobQueues | undefined;
  /** Whether this process is about to stop: it is not ready any more, and asks clients to connect anew. */
  lifecycle: { isDraining: boolean };
  outbox: Outbox;
  announceMessage: AnnounceMessage;
}
