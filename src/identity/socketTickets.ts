import { createSecretKey, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '#src/config.ts';

/** Who may open sockets, and in which session epoch (behaviour 0.7). */
export interface SocketTicket {
  userId: string;
  username: string;
  sessionEpoch: number;
}

const ISSUER = 'strong-together';
const AUDIENCE = 'socket';
const LIFETIME_SECONDS = 5400;

const claims = z.object({ id: z.guid(), username: z.string(), sessionEpoch: z.int(), jti: z.string().min(1) });

export type SocketTickets = ReturnType<typeof buildSocketTickets>;

/** Tickets for the socket handshake: JWT, HS256 only; good for reconnects until they expire or the session ends. */
export function buildSocketTickets(config: Config) {
  const key = createSecretKey(Buffer.from(config.secrets.JWT_SOCKET_SECRET));
  return {
    issue({ userId, username, sessionEpoch }: SocketTicket): Promise<string> {
      const issuedAt = Math.floor(Date.now() / 1000);
      return new SignJWT({ id: userId, username, sessionEpoch })
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
        const { id, username, sessionEpoch } = claims.parse(payload);
        return { userId: id, username, sessionEpoch };
      } catch {
        return undefined;
      }
    },
  };
}
