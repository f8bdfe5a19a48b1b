import { randomUUID } from 'node:crypto';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import proxyAddr from 'proxy-addr';
import type { Socket } from 'socket.io';
import type { TicketSession } from '#identity/socketTickets.ts';
import { type ClientAddress, clientAddress } from '#platform/clientAddress.ts';
import type { Deps } from '#transport/deps.ts';
import { mayConnect } from '#transport/middleware/cors.ts';
import { securityHeaders } from '#transport/middleware/securityHeaders.ts';
import { handshakes } from './realtime.limits.ts';
import { LIST_SOCKET_OWNERS, type SocketOwnerRow } from './realtime.queries.ts';

/** Data stored with a socket; it survives a short loss of the connection. */
interface SocketData {
  userId: string;
  session: TicketSession;
}

/** Most sockets of a session on one instance; one more ends the oldest, because phones leave dead ones behind. */
const SOCKETS_PER_SESSION = 10;
/** Most sockets of an address on one instance; the phones of a gym share one. */
const SOCKETS_PER_ADDRESS = 1_000;
const EVENTS = { most: 20, inMs: 10_000 };
/** Most bytes that may wait for a phone that does not read them. */
const SLOW_BYTES = 1024 * 1024;
const SWEEP_MS = 15_000;

/** Error texts on which the app asks for a new ticket (behaviour 1.9); on any other one it tries the same one again. */
const missingTicket = () => new Error('Missing ticket');
const endedTicket = () => new Error('Invalid or expired ticket');
const unauthorized = () => new Error('Unauthorized');
const unavailable = () => new Error('Service temporarily unavailable');

/**
 * Serves sockets on an HTTP server: the handshake, a room for each person, the limits, and their end when the
 * session ends.
 * @returns a function that stops the regular check of all sockets
 */
export function serveSockets(deps: Deps, server: HttpServer): () => void {
  const { io } = deps.sockets;
  const limited = deps.config.RATE_LIMIT_ENABLED;
  const perAddress = new Map<string, number>();
  const addressOf = (req: IncomingMessage): ClientAddress =>
    clientAddress(proxyAddr(req, (_hop, n) => n < deps.config.TRUST_PROXY_HOPS));

  /** Checked before a connection is upgraded, so that connections which never send anything count, too. */
  async function mayOpen(req: IncomingMessage): Promise<boolean> {
    if (!mayConnect(req.headers.origin, deps.config.CORS_ORIGINS)) return false;
    const address = addressOf(req);
    if (limited && (perAddress.get(address.network) ?? 0) >= SOCKETS_PER_ADDRESS) return false;
    await deps.limits.consume(handshakes, { address });
    return true;
  }

  const allowRequest = (req: IncomingMessage, answer: (error: string | null, isAllowed: boolean) => void) =>
    mayOpen(req).then(
      (isAllowed) => answer(null, isAllowed),
      () => answer('Too many connections', false),
    );
  io.attach(server, { allowRequest });
  io.engine.on(
    'connection',
    (connection: { request: IncomingMessage; once(event: string, done: () => void): void }) => {
      const { network } = addressOf(connection.request);
      perAddress.set(network, (perAddress.get(network) ?? 0) + 1);
      connection.once('close', () => {
        const left = (perAddress.get(network) ?? 1) - 1;
        if (left > 0) perAddress.set(network, left);
        else perAddress.delete(network);
      });
    },
  );
  io.engine.use((_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    res.setHeader('X-Request-Id', randomUUID());
    next();
  });
  io.engine.use(securityHeaders());

  io.use(async (socket, next) => {
    try {
      socket.data = await admitted(deps, socket);
      next();
    } catch (error) {
      next(error as Error);
    }
  });

  io.on('connection', (socket: Socket) => {
    const { userId, session } = socket.data as SocketData;
    if (limited) limitEvents(socket);
    void socket.join(userId);
    if (limited) endOldest(userId, session);
    // The session may have ended between the check of the ticket and the join.
    void endStale([userId]);
  });

  function endOldest(userId: string, session: TicketSession): void {
    const { adapter, sockets } = io.of('/');
    const own = [...(adapter.rooms.get(userId) ?? [])].filter((id) => {
      const other = sockets.get(id)?.data as SocketData | undefined;
      return other && idOf(other.session) === idOf(session);
    });
    for (const id of own.slice(0, -SOCKETS_PER_SESSION)) sockets.get(id)?.disconnect(true);
  }

  /** Ends those sockets of these people, on this instance, whose session has ended. */
  async function endStale(userIds: string[]): Promise<void> {
    const { rooms } = io.of('/').adapter;
    const here = userIds.filter((id) => rooms.has(id));
    if (here.length === 0) return;
    try {
      const owners = await deps.db.asService((tx) => tx.rows(LIST_SOCKET_OWNERS, [here]));
      const current = new Map(owners.map((owner) => [owner.id, owner]));
      for (const socketId of here.flatMap((id) => [...(rooms.get(id) ?? [])])) {
        const socket = io.of('/').sockets.get(socketId);
        if (socket && !isCurrent(socket.data as SocketData, current)) socket.disconnect(true);
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'whether sockets may stay could not be asked');
    }
  }

  // Socket.IO sends what was missed in a short absence before it checks the ticket: the session is checked before that.
  const { adapter } = io.of('/');
  const restoreSession = adapter.restoreSession.bind(adapter);
  adapter.restoreSession = async (pid, offset) => {
    const session = await restoreSession(pid, offset);
    const data = session?.data as SocketData | undefined;
    if (!session || !data) throw new Error('nothing to restore');
    const owners = await deps.db.asService((tx) => tx.rows(LIST_SOCKET_OWNERS, [[data.userId]]));
    if (!isCurrent(data, new Map(owners.map((owner) => [owner.id, owner])))) throw new Error('the session has ended');
    return session;
  };

  deps.sockets.onRecheck((userId) => void endStale([userId]));
  const sweep = setInterval(async () => {
    const sockets = [...io.of('/').sockets.values()];
    for (const socket of sockets.filter(isSlow)) {
      deps.log.warn({ reason: 'slow consumer' }, 'a socket was dropped');
      socket.conn.close(true);
    }
    await endStale([...new Set(sockets.map((socket) => (socket.data as SocketData).userId))]);
    await deps.sockets.forgetOld().catch(() => undefined); // Redis is away: the next sweep tries again
  }, SWEEP_MS);
  sweep.unref();
  return () => clearInterval(sweep);
}

/** The checks of behaviour 1.9. @throws Error with one of its texts */
async function admitted(deps: Deps, socket: Socket): Promise<SocketData> {
  const sent: unknown = socket.handshake.auth.ticket;
  if (typeof sent !== 'string' || sent === '') throw missingTicket();
  const ticket = await deps.socketTickets.read(sent);
  if (!ticket) throw endedTicket();
  const { userId, username: _, ...session } = ticket;
  let owner: SocketOwnerRow | undefined;
  try {
    owner = await deps.db.asService((tx) => tx.maybe(LIST_SOCKET_OWNERS, [[userId]]));
  } catch (error) {
    deps.log.warn({ err: error }, 'a ticket could not be checked');
    throw unavailable();
  }
  if (!owner?.is_verified) throw unauthorized();
  if (!hasSession(owner, session)) throw endedTicket();
  if (socket.recovered && (socket.data as SocketData).userId !== userId) throw endedTicket();
  return { userId, session };
}

function isCurrent({ userId, session }: SocketData, owners: Map<string, SocketOwnerRow>): boolean {
  const owner = owners.get(userId);
  return owner?.is_verified === true && hasSession(owner, session);
}

/** The phone has one session, whatever its epoch. */
const idOf = (session: TicketSession): string => ('sid' in session ? session.sid : 'phone');

const hasSession = (owner: SocketOwnerRow, session: TicketSession): boolean =>
  'sid' in session ? owner.others.includes(session.sid) : owner.session_epoch === session.sessionEpoch;

/** The app sends one event and expects no answer to it: a client that sends many is not the app. */
function limitEvents(socket: Socket): void {
  let windowStart = Date.now();
  let events = 0;
  socket.onAny(() => {
    if (Date.now() - windowStart > EVENTS.inMs) [windowStart, events] = [Date.now(), 0];
    if (++events > EVENTS.most) socket.disconnect(true);
  });
}

function isSlow(socket: Socket): boolean {
  const { socket: webSocket } = socket.conn.transport as unknown as { socket?: { bufferedAmount?: number } };
  return (webSocket?.bufferedAmount ?? 0) > SLOW_BYTES;
}
