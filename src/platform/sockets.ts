import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Server, type ServerOptions } from 'socket.io';
import { type ServerOptions as WebSocketOptions, WebSocketServer } from 'ws';
import type { Log } from './log.ts';
import { connectRedis, openRedis, type RedisClient } from './redis.ts';

/** How long a phone may be without network and still get what was emitted meanwhile, in milliseconds. */
const RECOVERY_MS = 2 * 60 * 1000;
/** Longer than a blocking read: a connection on which nothing arrives for so long is dead. */
const SILENCE_MS = 20_000;
/** Time in which a new connection must send its ticket, in milliseconds. */
const CONNECT_MS = 5_000;
/** A client that does not answer the closing of its connection is cut off after this time; the default is 30 s. */
const CLOSE_MS = 2_000;
const STREAM = 'socket.io';
const RECHECK = 'recheck';

class QuickClosingServer extends WebSocketServer {
  constructor(options: WebSocketOptions) {
    super({ ...options, closeTimeout: CLOSE_MS } as WebSocketOptions); // the types do not know `closeTimeout` yet
  }
}

/** The sockets of all instances, addressed by the room that they joined. */
export interface Sockets {
  io: Server;
  /** Sends an event to the sockets of a room. Never throws; while Redis is away it reaches those of this instance. */
  emit(room: string, event: string, payload: object): void;
  /** Asks every instance to check whether the sockets of a room may stay connected. */
  recheck(room: string): void;
  /** Sets what this instance does when it is asked to check. */
  onRecheck(look: (room: string) => void): void;
  /** Removes events that are older than a phone may be away from the stream in Redis. */
  forgetOld(): Promise<void>;
  /** Closes the connections to Redis; the sockets themselves are closed by `io.close`. */
  close(): Promise<void>;
}

/**
 * Opens the Socket.IO server of this process. WebSocket only, so that a load balancer needs no sticky sessions.
 * @param redisUrl undefined: there is only this process
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
 * The adapter's connections to Redis: one to publish on, whose commands fail at once while Redis is away, and those
 * that wait in blocking reads, however long Redis is away.
 */
async function openBus(url: string, log: Log) {
  const publisher = await connectRedis(url, log);
  const readers: RedisClient[] = [];
  publisher.duplicate = () => {
    const reader = openRedis(url, { lazyConnect: true, maxRetriesPerRequest: null, socketTimeout: SILENCE_MS });
    readers.push(reader);
    return reader as never;
  };
  // The adapter does not handle the errors of these two commands.
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
