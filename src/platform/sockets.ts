import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server, type ServerOptions } from 'socket.io';
import { type ServerOptions as WebSocketOptions, WebSocketServer } from 'ws';
import type { Log } from './log.ts';
import { connectRedis } from './redis.ts';

/** How long a phone may be without network and still get what was emitted meanwhile, in milliseconds. */
const RECOVERY_MS = 2 * 60 * 1000;
/** Longer than a blocking read: a connection that says nothing for so long is dead. */
const SILENCE_MS = 20_000;
/** Whoever opens a connection joins within this time, in milliseconds. */
const CONNECT_MS = 5_000;
/** Whoever does not answer the end of a connection is cut off, in milliseconds; the library would wait for 30 s. */
const CLOSE_MS = 2_000;
const STREAM = 'socket.io';
const RECHECK = 'recheck';

class QuickClosingServer extends WebSocketServer {
  constructor(options: WebSocketOptions) {
    super({ ...options, closeTimeout: CLOSE_MS } as WebSocketOptions); // newer than its types
  }
}

/** Every socket of every instance, by the room that it joined. */
export interface Sockets {
  io: Server;
  /** Sends an event to the sockets of a room. Never throws; while Redis is away it reaches those of this instance. */
  emit(room: string, event: string, payload: object): void;
  /** Asks every instance to look again whether the sockets of a room may stay. */
  recheck(room: string): void;
  /** What this instance does when it is asked. */
  onRecheck(look: (room: string) => void): void;
  /** Forgets what was emitted longer ago than a phone may be away. */
  forgetOld(): Promise<void>;
  /** For a process that serves no sockets; `io.close` ends those of one that does. */
  close(): Promise<void>;
}

/**
 * The realtime side of this process. WebSocket only, so that no balancer needs to keep a phone with an instance.
 * @param redisUrl undefined: the sockets of this process are all there are
 */
export async function openSockets(
  redisUrl: string | undefined,
  log: Log,
  options: Partial<ServerOptions>,
): Promise<Sockets> {
  const redis = redisUrl === undefined ? undefined : await openBus(redisUrl, log);
  const io = new Server({
    path: '/socket.io',
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    connectTimeout: CONNECT_MS,
    wsEngine: QuickClosingServer,
    connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS, skipMiddlewares: false },
    ...(redis ? { adapter: createAdapter(redis.publisher, { streamName: STREAM, onlyPlaintext: true }) } : {}),
    ...options,
  });
  let look: (room: string) => void = () => undefined;
  io.on(RECHECK, (room: string) => look(room));
  const quietly = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      log.warn({ err: error }, 'sockets were not reached');
    }
  };
  return {
    io,
    emit: (room, event, payload) => quietly(() => io.to(room).emit(event, payload)),
    recheck: (room) => {
      quietly(() => look(room));
      if (redis) quietly(() => io.serverSideEmit(RECHECK, room));
    },
    onRecheck: (doLook) => {
      look = doLook;
    },
    forgetOld: async () => {
      await redis?.publisher.xtrim(STREAM, 'MINID', '~', `${Date.now() - RECOVERY_MS}`);
    },
    close: async () => {
      await io.of('/').adapter.close();
      redis?.close();
    },
  };
}

/**
 * The adapter's connections: one that publishes and fails at once while Redis is away, as all of ours, and
 * those that wait in a blocking read, however long Redis is away.
 */
async function openBus(url: string, log: Log) {
  const publisher = await connectRedis(url, log);
  const readers: Redis[] = [];
  publisher.duplicate = () => {
    const reader = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, socketTimeout: SILENCE_MS });
    readers.push(reader);
    return reader;
  };
  // The adapter does not look at what comes of these.
  const { publish, set } = publisher;
  const lost = (error: unknown) => {
    log.debug({ err: error }, 'an event did not reach other instances');
    return null as never;
  };
  publisher.publish = ((...args: Parameters<typeof publish>) => publish.apply(publisher, args).catch(lost)) as never;
  publisher.set = ((...args: Parameters<typeof set>) => set.apply(publisher, args).catch(lost)) as never;
  return {
    publisher,
    close: () => {
      for (const connection of [publisher, ...readers]) connection.disconnect();
    },
  };
}
