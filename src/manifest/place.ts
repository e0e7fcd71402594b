/** Tests: test/cli/pairs.test.ts */
import type { PlaceIdentity } from './port.js';

/** The path of a place on a local disk; undefined for every other kind of place. */
export function pathOf({ kind, bucket, prefix }: PlaceIdentity): string | undefined {
  if (kind !== 'local') return undefined;
  return prefix === '' ? bucket : `${bucket.replace(/\/$/, '')}/${prefix}`;
}
