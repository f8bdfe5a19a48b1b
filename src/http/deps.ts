import type { Cache } from '#platform/cache/cache.ts';
import type { Passwords } from '#platform/crypto/passwords.ts';
import type { PictureCleaner } from '#platform/images/picture.ts';
import type { JobQueues } from '#platform/jobs/jobQueues.ts';
import type { Log } from '#platform/log/log.ts';
import type { Mailbox } from '#platform/mail/mailbox.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Sockets } from '#platform/sockets/sockets.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Config } from '#src/config.ts';
import type { ProofVerifier } from './dpop.ts';
import type { Limits } from './limits.ts';
import type { HeldStep } from './outageHold.ts';
import type { ProviderTokens } from './providerTokens.ts';
import type { SeenProofs } from './seenProofs.ts';
import type { SessionTokens } from './sessionTokens.ts';
import type { SocketTickets } from './socketTickets.ts';

/** What requests are answered with: built once by `src/dependencies.ts` and passed down, never imported as state. */
export interface Deps {
  config: Config;
  log: Log;
  db: Database;
  /** Payloads of single people; never asked for anything that decides who may do what. */
  cache: Cache;
  limits: Limits;
  verifyProof: ProofVerifier;
  seenProofs: SeenProofs;
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
  /** Tells the worker of this process that the outbox has something new. */
  outboxChanged: () => void;
}
