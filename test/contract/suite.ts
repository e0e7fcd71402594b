/**
 * The contract of src/store/port.ts as tests. Every backend registers itself with one line in stores.test.ts.
 * The groups drive stores by the port and its capabilities alone.
 */
import { describe } from 'vitest';
import { describeBucket } from './bucket.js';
import type { Backend } from './context.js';
import { describeCopies } from './copies.js';
import { describeListing } from './listing.js';
import { describeMultipart } from './multipart.js';
import { describeKeys } from './names.js';
import { describeObjects } from './objects.js';
import { describeTransfers } from './transfers.js';
import { describeUploads } from './uploads.js';

export function describeStore(name: string, backend: Backend): void {
  describe(name, () => {
    describe('bucket', () => describeBucket(backend));
    describe('objects', () => describeObjects(backend));
    describe('transfers', () => describeTransfers(backend));
    describe('keys', () => describeKeys(backend));
    describe('listing', () => describeListing(backend));
    describe('multipart', () => describeMultipart(backend));
    describe('uploads', () => describeUploads(backend));
    describe('copies', () => describeCopies(backend));
  });
}
