import { expect, it } from 'vitest';
import { clientAddress } from './clientAddress.ts';

const IPV4 = { network: '203.0.113.7', site: undefined };
const LOOPBACK = { network: '::/64', site: '::/48' };
const UNKNOWN = { network: 'unknown', site: undefined };

it.each([
  [' 203.0.113.7\t', IPV4],
  ['203.0.113.7:1', IPV4],
  ['203.0.113.7:65535', IPV4],
  ['[::1]', LOOPBACK],
  ['[::1]:1', LOOPBACK],
  ['[fe80::1%eth0]:443', { network: 'fe80::/64', site: 'fe80::/48' }],
  // The prefix of translators is 96 bits long, and nothing before or behind it.
  ['64:ff9b::1:cb00:7107', { network: '64:ff9b::/64', site: '64:ff9b::/48' }],
  ['64:ff9b:1::cb00:7107', { network: '64:ff9b:1::/64', site: '64:ff9b:1::/48' }],
  // All bits of the /48 and the /64 count, none behind them.
  ['ffff:ffff:ffff:ffff:ffff::', { network: 'ffff:ffff:ffff:ffff::/64', site: 'ffff:ffff:ffff::/48' }],
  ['203.0.113.7:', UNKNOWN],
  ['203.0.113.7:123456', UNKNOWN],
  ['x203.0.113.7:80', UNKNOWN],
  ['203.0.113.7:80x', UNKNOWN],
  ['x[::1]', UNKNOWN],
  ['[::1]x', UNKNOWN],
  ['[::1]:80x', UNKNOWN],
  ['[::1]:', UNKNOWN],
  ['[::1]:123456', UNKNOWN],
  ['[]', UNKNOWN],
  ['1203.0.113.7', UNKNOWN],
  ['203.0.113.256', UNKNOWN],
])('%j counts as one address however it is written, or as none', (written, expected) => {
  expect(clientAddress(written)).toEqual(expected);
});
