import ipaddr from 'ipaddr.js';

/** What limits by address count by: nothing that a client can choose, such as the lower half of an IPv6 address. */
export interface ClientAddress {
  /** One customer of a provider: an IPv4 address, or the /64 of an IPv6 address. */
  network: string;
  /** The /48 around it, because a single customer may have many /64; undefined for IPv4. */
  site: string | undefined;
}

/** Everything that is no address counts as one client, so that nobody gets new counters by sending garbage. */
const UNKNOWN: ClientAddress = { network: 'unknown', site: undefined };
/** NAT64 translators put IPv4 clients behind this prefix (RFC 6052). */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [ipaddr.IPv6, number];

/**
 * Reads an address as sockets and proxies write it: with a port (`203.0.113.7:4711`, `[2001:db8::1]:443`), with a
 * zone id (`fe80::1%eth0`), or as IPv4 inside IPv6 (`::ffff:203.0.113.7`).
 */
export function clientAddress(written: string | undefined): ClientAddress {
  const address = parse(written?.trim() ?? '');
  if (!address) return UNKNOWN;
  if (address.kind() === 'ipv4') return { network: address.toString(), site: undefined };
  const v6 = address as ipaddr.IPv6;
  if (v6.isIPv4MappedAddress()) return { network: v6.toIPv4Address().toString(), site: undefined };
  if (v6.match(NAT64)) return { network: new ipaddr.IPv4(v6.toByteArray().slice(12)).toString(), site: undefined };
  return { network: prefix(v6, 64), site: prefix(v6, 48) };
}

function parse(written: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(written)?.[1];
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(written)?.[1];
  const bare = (bracketed ?? withPort ?? written).replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
}

function prefix(address: ipaddr.IPv6, bits: number): string {
  const bytes = address.toByteArray().map((byte, index) => (index < bits / 8 ? byte : 0));
  return `${new ipaddr.IPv6(bytes).toString()}/${bits}`;
}
