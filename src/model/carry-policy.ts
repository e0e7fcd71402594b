/** What a copy carries besides the bytes. Plain data. Tests: test/open/carry-policy.test.ts */
import type { FidelityLevel } from './attributes.js';
import type { ContentHeaders, UserMetadata } from './object.js';

/** Which attributes a copy carries. Absent fields: no. Content headers and the source's time always are. */
export interface CarryPolicy {
  /** User metadata and the website redirect. */
  metadata: boolean;
  tags?: true;
  acl?: true;
  lock?: true;
  fidelity: FidelityLevel;
  /** In the destination's spelling; absent for its default. */
  storageClass?: string;
  /** Content headers and metadata that take the place of the source's. */
  set?: { headers: ContentHeaders; metadata: UserMetadata };
}

/** As without any flags. */
export const USUAL_POLICY: CarryPolicy = { metadata: true, fidelity: 'warn' };
