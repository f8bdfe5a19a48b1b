import type { IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'];
/** A laptop changes its network now and then, and asking takes a third of a millisecond. */
const FRESH_MS = 5_000;

const originOf = (host: string, port: number): string => new URL(`http://${host}:${port}`).origin;

/**
 * The origins under which other machines of the network reach this port: IPv4 first. Link-local IPv6 addresses are
 * left out, because no URL can name their interface.
 */
export function networkOrigins(port: number): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((address) => !address.internal && !(address.family === 'IPv6' && address.scopeid !== 0))
    .sort((a, b) => a.family.localeCompare(b.family));
  return addresses.map(({ family, address }) => originOf(family === 'IPv6' ? `[${address}]` : address, port));
}

/** @returns what tells every origin of this machine with a port: what development takes for its own address. */
export function buildOwnOrigins(): (port: number | undefined) => string[] {
  let known: { port: number; origins: string[]; until: number } | undefined;
  return (port) => {
    if (port === undefined) return []; // the client has hung up
    const now = performance.now();
    if (known?.port === port && now < known.until) return known.origins;
    const origins = [...LOOPBACK_HOSTS.map((host) => originOf(host, port)), ...networkOrigins(port)];
    known = { port, origins, until: now + FRESH_MS };
    return origins;
  };
}

/**
 * @param configured origins under which the server is reached besides those of this machine
 * @returns whether a request names this server as its host. A page of another site whose name was made to point to this
 *   machine (DNS rebinding) names itself.
 */
export function buildHostCheck(configured: string[]): (req: IncomingMessage) => boolean {
  const ownOrigins = buildOwnOrigins();
  return ({ headers, socket }) => {
    const asked = URL.parse(`http://${headers.host}`)?.hostname;
    return [...configured, ...ownOrigins(socket.localPort)].some((origin) => new URL(origin).hostname === asked);
  };
}
