import type { Identity } from '#identity/authenticate.ts';
import type { ProviderTokens } from '#identity/providerTokens.ts';
import type { ReplayStore } from '#identity/replayStore.ts';
import type { SessionStates } from '#identity/sessionStates.ts';
import type { SessionTokens } from '#identity/sessionTokens.ts';
import type { SocketTickets } from '#identity/socketTickets.ts';
import type { Outbox } from '#outbox/outbox.ts';
import type { Cache } from '#platform/cache.ts';
import type { FairQueue } from '#platform/fairQueue.ts';
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
import type { Meters } from './meters.ts';
import type { HeldStep } from './outageHold.ts';

/**
 * Sends a message, which this transaction has written, to the sockets of its receiver after the commit.
 * @param zone time zone of the request that caused it; absent: the one that is stored for the receiver
 */
export type AnnounceMessage = (tx: Transaction, id: string, zone?: string) => Promise<void>;

/** What handlers work with: built once by `src/dependencies.ts` and passed down, so there is no global state. */
export interface Deps {
  config: Config;
  log: Log;
  meters: Meters;
  db: Database;
  /** Answers of single people; what a caller may do is never decided by anything in it. */
  cache: Cache;
  limits: Limits;
  identity: Identity;
  replayStore: ReplayStore;
  sessionTokens: SessionTokens;
  sessionStates: SessionStates;
  providerTokens: ProviderTokens;
  socketTickets: SocketTickets;
  sockets: Sockets;
  passwords: Passwords;
  /** Holds a request while the database is away. */
  outageHold: (signal: AbortSignal) => HeldStep;
  pictures: PictureStorage;
  cleanPicture: PictureCleaner;
  /** Uploads that are taken in turn, by person. */
  uploads: FairQueue;
  /** The reading of large files, by person: one at a time in this process. */
  fileReads: FairQueue;
  /** Only where mails are kept for reading instead of being sent; never in production. */
  mailbox: Mailbox | undefined;
  /** Undefined without Redis. */
  jobs: JobQueues | undefined;
  /** True while the process is stopping: it reports "not ready", and every answer closes its connection. */
  lifecycle: { isDraining: boolean };
  outbox: Outbox;
  announceMessage: AnnounceMessage;
}
