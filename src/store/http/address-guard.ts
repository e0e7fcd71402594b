/**
 * Which addresses a connection may lead to, when somebody else has named the host. The address is checked when it is
 * connected to, so that a name cannot lead elsewhere after a check.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { XsyncError } from '../../model/error.js';

export interface AddressGuard {
  /** @throws untrusted-host: the host is an address that may not be connected to */
  check(host: string): void;
  /** Resolves to addresses that may be connected to only. Fails with untrusted-host if there are none. */
  lookup: LookupFunction;
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast. */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Of global unicast addresses, those that are reserved, or lead to an IPv4 address that they contain. */
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of SPECIAL_IPV4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of SPECIAL_IPV6) special.addSubnet(network, bits, 'ipv6');

const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/** Whether an IP address can be that of a server on the internet: neither private, loopback, link-local nor reserved. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !special.check(address, 'ipv4');
  return version === 6 && unicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** Whether one of the patterns names the host: a name, an address, or `*.example.com` for all names below. */
export function namesHost(patterns: readonly string[], host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return patterns.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) && isIP(name) === 0 : name === wanted;
  });
}

/** @param allowed hosts that may have any address, or the addresses themselves (`namesHost`) */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const may = (host: string, address: string): boolean =>
    isPublicAddress(address) || namesHost(allowed, host) || namesHost(allowed, address);
  return {
    check(host) {
      if (isIP(host) !== 0 && !may(host, host)) throw refused(host);
    },
    lookup(host, options, callback) {
      lookup(host, { ...options, all: true }, (error, found) => {
        if (error) return callback(error, '', 0);
        const usable = found.filter(({ address }) => may(host, address));
        const [first] = usable;
        if (first === undefined) return callback(refused(host, found), '', 0);
        if (options.all === true) return callback(null, usable);
        callback(null, first.address, first.family);
      });
    },
  };
}

function refused(host: string, found: readonly LookupAddress[] = []): XsyncError {
  const [first] = found;
  const message =
    first === undefined ? `${host} is a private address` : `${host} leads to the private address ${first.address}`;
  return new XsyncError('untrusted-host', message, {
    subject: host,
    remedy: `If you trust it, add --allow-private ${host}.`,
  });
}
