import { expect, it } from 'vitest';
import { provingChecksums, ticketChecksums } from '../../src/bridge/checksums.js';
import { bridgeTicket } from '../../src/bridge/ticket.js';
import { ticketId } from '../../src/manifest/queues.js';

/** Of the 9 bytes `123456789`. */
const ALL = {
  md5: '25f9e794323b453885f5181f1b624d0b',
  sha256: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=',
  sha1: '98O8HYCOBHMq32eZZczDTKeuNEE=',
  crc64ecma: '11051210869376104954',
  crc64nvme: 'rosUhgp5mIg=',
  crc32c: '4waSgw==',
  crc32: 'y/Q5Jg==',
};

it('all that prove the whole object cross, and nothing that does not', () => {
  expect(ticketChecksums.parse(ALL)).toEqual(ALL);
  const more = { etagHint: ALL.md5, md5ofParts: `${ALL.md5}-3` };
  expect(provingChecksums({ checksums: { ...ALL, ...more } })).toEqual(ALL);
  expect(provingChecksums({ checksums: more })).toBeUndefined();
  expect(provingChecksums({ checksums: { crc32: 'odd', crc64ecma: '7' } })).toEqual({ crc64ecma: '7' });
  expect(provingChecksums({ checksums: ALL, special: 'symlink' })).toBeUndefined();
});

it('a ticket may have them, or none, as those of before; none of another form or name', () => {
  const given = { key: 'a', revision: 1 };
  const common = { version: 1, id: ticketId(given), ...given, action: 'copy', url: 'https://h/a', expiresMs: 1 };
  const ticket = { ...common, etag: 'e', size: 1, mtimeMs: 1 };
  expect(bridgeTicket.parse(ticket)).toEqual(ticket);
  for (const checksums of [{}, ALL])
    expect(bridgeTicket.parse({ ...ticket, checksums })).toEqual({ ...ticket, checksums });
  for (const checksums of [
    { md5: ALL.md5.toUpperCase() },
    { crc32c: ALL.crc64nvme },
    { crc64ecma: '0x7' },
    { etagHint: ALL.md5 },
  ]) {
    expect(bridgeTicket.safeParse({ ...ticket, checksums }).success).toBe(false);
  }
});
