import { createSecretKey, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '#src/config.ts';

/** The session that a ticket lives as long as: the phone's by its epoch (behaviour 0.7), one beside it by its id. */
export type TicketSession = { sessionEpoch: number } | { sid: string };

/** Who may open sockets, and for how long. */
export type SocketTicket = { userId: string; username: string } & TicketSession;

const ISSUER = 'strong-together';
const AUDIENCE = 'socket';
const LIFETIME_SECONDS = 5400;

const anySession = z.object({ id: z.guid(), username: z.string(), jti: z.string().min(1) });
const claims = z.union([anySession.extend({ sessionEpoch: z.int() }), anySession.extend({ sid: z.guid() })]);

export type SocketTickets = ReturnType<typeof buildSocketTickets>;

/** Tickets for the socket handshake: JWT, HS256 only; good for reconnects until they expire or the session ends. */
export function buildSocketTickets(config: Config) {
  const key = createSecretKey(Buffer.from(config.secrets.JWT_SOCKET_SECRET));
  return {
    issue({ userId, username, ...session }: SocketTicket): Promise<string> {
      const issuedAt = Math.floor(Date.now() / 1000);
      return new SignJWT({ id: userId, username, ...session })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setJti(randomUUID())
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + LIFETIME_SECONDS)
        .sign(key);
    },

    /** Undefined: forged, expired, or a token of another kind. Whether the session has ended is not checked here. */
    async read(ticket: string): Promise<SocketTicket | undefined> {
      try {
        const { payload } = await jwtVerify(ticket, key, {
          algorithms: ['HS256'],
          issuer: ISSUER,
          audience: AUDIENCE,
          requiredClaims: ['exp'],
        });
        const { id, jti: _, ...holder } = claims.parse(payload);
        return { userId: id, ...holder };
      } catch {
        return undefined;
      }
    },
  };
}
