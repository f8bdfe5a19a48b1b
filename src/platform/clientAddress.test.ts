import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress } from './clientAddress.ts';

const v4 = fc.ipV4();
const group = fc.integer({ min: 0, max: 0xffff });
const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
const written = (parts: number[]) => parts.map((part) => part.toString(16)).join(':');
/** Addresses as the internet routes them: none that stands for an IPv4 address. */
const globalSite = groups(2).map((parts) => [0x2001, ...parts]);
const port = fc.integer({ min: 1, max: 65_535 });

describe('whom a limit by address counts', () => {
  it.each([
    ['203.0.113.7', { network: '203.0.113.7', site: undefined }],
    ['203.0.113.7:4711', { network: '203.0.113.7', site: undefined }],
    ['::ffff:203.0.113.7', { network: '203.0.113.7', site: undefined }],
    ['::ffff:cb00:7107', { network: '203.0.113.7', site: undefined }],
    ['[::ffff:203.0.113.7]:4711', { network: '203.0.113.7', site: undefined }],
    ['64:ff9b::cb00:7107', { network: '203.0.113.7', site: undefined }],
    ['2001:db8:1:2:3:4:5:6', { network: '2001:db8:1:2::/64', site: '2001:db8:1::/48' }],
    ['[2001:DB8:1:2::9]:443', { network: '2001:db8:1:2::/64', site: '2001:db8:1::/48' }],
    ['fe80::1%eth0', { network: 'fe80::/64', site: 'fe80::/48' }],
    ['::1', { network: '::/64', site: '::/48' }],
    [undefined, { network: 'unknown', site: undefined }],
    ['', { network: 'unknown', site: undefined }],
    ['unknown', { network: 'unknown', site: undefined }],
    ['1.2.3', { network: 'unknown', site: undefined }],
    ['010.0.0.1', { network: 'unknown', site: undefined }],
    ['203.0.113.7, 198.51.100.1', { network: 'unknown', site: undefined }],
    ["'; drop", { network: 'unknown', site: undefined }],
  ])('%s', (address, expected) => {
    expect(clientAddress(address)).toEqual(expected);
  });

  it('is one for all spellings of an IPv4 address, with or without port', () => {
    fc.assert(
      fc.property(v4, port, (address, aPort) => {
        const spellings = [address, `${address}:${aPort}`, `::ffff:${address}`, `[::ffff:${address}]:${aPort}`];
        expect(new Set(spellings.map((text) => JSON.stringify(clientAddress(text)))).size).toBe(1);
        expect(clientAddress(address)).toEqual({ network: address, site: undefined });
      }),
    );
  });

  it('is one for everything in a /64, whatever its lower half, zone id or port; another /64 is another', () => {
    fc.assert(
      fc.property(globalSite, group, group, groups(4), groups(4), port, (site, net, other, one, two, aPort) => {
        const [first, second] = [written([...site, net, ...one]), written([...site, net, ...two])];
        expect(clientAddress(first)).toEqual(clientAddress(second));
        expect(clientAddress(`[${first}]:${aPort}`)).toEqual(clientAddress(first));
        expect(clientAddress(`${first}%eth0`)).toEqual(clientAddress(first));
        const elsewhere = clientAddress(written([...site, other, ...one]));
        expect(elsewhere.network === clientAddress(first).network).toBe(other === net);
        expect(elsewhere.site).toBe(clientAddress(first).site); // the same /48
      }),
    );
  });

  it('anything at all gives one of these, and garbage always the same', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { network, site } = clientAddress(text);
        expect(network).toMatch(/^(unknown|\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]+\/64)$/);
        expect(site === undefined).toBe(!network.endsWith('/64'));
      }),
    );
  });
});
