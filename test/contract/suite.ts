/**
 * The contract of src/store/port.ts as tests. Every backend registers itself with one line in stores.test.ts.
 * The groups drive stores by the port and its capabilities alone.
 */
import { describe } from 'vitest';
import { describeAttributes } from './attributes.js';
import { describeBucket } from './bucket.js';
import type { Backend } from './context.js';
import { describeCopies } from './copies.js';
import { describeLinks } from './links.js';
import { describeListing } from './listing.js';
import { describeMultipart } from './multipart.js';
import { describeKeys } from './names.js';
import { describeObjects } from './objects.js';
import { describePieces } from './pieces.js';
import { describeTransfers } from './transfers.js';
import { describeUploads } from './uploads.js';
import { describeVersions } from './versions.js';

const GROUPS = {
  bucket: describeBucket,
  objects: describeObjects,
  transfers: describeTransfers,
  pieces: describePieces,
  keys: describeKeys,
  listing: describeListing,
  multipart: describeMultipart,
  uploads: describeUploads,
  copies: describeCopies,
  attributes: describeAttributes,
  links: describeLinks,
  versions: describeVersions,
};

export type Group = keyof typeof GROUPS;

/** @param without groups about calls that the store is known to lack */
export function describeStore(name: string, backend: Backend, without: readonly Group[] = []): void {
  describe(name, () => {
    for (const [group, tests] of Object.entries(GROUPS)) {
      if (!without.some((one) => one === group)) describe(group, () => tests(backend));
    }
  });
}
