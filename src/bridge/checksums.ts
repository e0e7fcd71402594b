/** The checksums of a ticket, by which the pulling end proves the bytes. Tests: test/bridge/checksums.test.ts */
import * as z from 'zod';
import type { Checksums } from '../model/checksum.js';
import type { ObjectInfo } from '../model/object.js';

/** Base64 of so many bytes. */
function digest(bytes: number) {
  const padding = (3 - (bytes % 3)) % 3;
  const letters = Math.ceil((bytes * 4) / 3);
  return z.string().regex(new RegExp(`^[A-Za-z0-9+/]{${letters}}={${padding}}$`));
}

const shape = {
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  sha256: digest(32),
  sha1: digest(20),
  crc64ecma: z.string().regex(/^\d{1,20}$/),
  crc64nvme: digest(8),
  crc32c: digest(4),
  crc32: digest(4),
};

/** Of the whole object, as in the model. */
export const ticketChecksums = z.strictObject(shape).partial();

/**
 * Those of an object's HEAD that prove its bytes. A hint proves nothing, and what parts are made of is not known at the
 * other end. Undefined: it has none.
 */
export function provingChecksums({ checksums, special }: Pick<ObjectInfo, 'checksums' | 'special'>) {
  // The URL of a link leads to its target.
  if (special === 'symlink') return undefined;
  const found: Checksums = {};
  for (const name of ticketChecksums.keyof().options) {
    const { data } = shape[name].safeParse(checksums[name]);
    if (data !== undefined) found[name] = data;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
