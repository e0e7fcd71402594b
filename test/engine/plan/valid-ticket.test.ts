import { describe, expect, test } from 'vitest';
import { validTicket } from '../../../src/engine/plan/valid-ticket.js';
import type { CopyTicket, DeleteTicket } from '../../../src/model/ticket.js';

const PLACE = { kind: 's3', endpoint: 'https://s3.amazonaws.com', bucket: 'photos' };

const COPY: CopyTicket = {
  version: 1,
  action: 'copy',
  key: 'a',
  source: { place: PLACE, key: 'from/a', etag: 'e1', size: 20, mtimeMs: 1.5, md5ofParts: `${'0'.repeat(32)}-2` },
  dest: {
    place: { ...PLACE, bucket: 'copy' },
    key: 'to/a',
    replaces: 'e0',
    backup: { place: PLACE, key: 'old/a', text: 's3://photos/old', attempts: 3 },
  },
  way: 'client',
  cut: { partSize: 10, parts: 2 },
  attempts: 3,
};

const DELETE: DeleteTicket = { version: 1, action: 'delete', key: '', dest: { place: PLACE, key: 'to/a', size: 0 } };

describe('a ticket from outside', () => {
  test.each([COPY, DELETE])('means the same after JSON: $action', (ticket) => {
    expect(validTicket(JSON.parse(JSON.stringify(ticket)))).toEqual(ticket);
  });

  test.each<[string, unknown]>([
    ['version', { ...COPY, version: 2 }],
    ['action', { ...COPY, action: 'move' }],
    ['source.size', { ...COPY, source: { ...COPY.source, size: -1 } }],
    ['source.size', { ...COPY, source: { ...COPY.source, size: 2 ** 60 } }],
    ['source.place.bucket', { ...COPY, source: { ...COPY.source, place: { ...PLACE, bucket: '' } } }],
    ['source.md5ofParts', { ...COPY, source: { ...COPY.source, md5ofParts: 'x' } }],
    ['cut.partSize', { ...COPY, cut: { partSize: 0, parts: 1 } }],
    ['dest.key', { ...DELETE, dest: { ...DELETE.dest, key: '' } }],
    ['the ticket', { ...DELETE, command: 'rm -rf /' }],
    ['the ticket', null],
    ['the ticket', 'copy'],
  ])('is refused with the field at fault: %s', (field, value) => {
    expect(() => validTicket(value)).toThrow(expect.objectContaining({ code: 'usage', subject: field }));
  });
});
