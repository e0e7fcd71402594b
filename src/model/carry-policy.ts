/** What a copy carries besides the bytes. Plain data. Tests: test/open/carry-policy.test.ts */
import type { FidelityLevel } from './attributes.js';
import type { ContentHeaders, UserMetadata } from './object.js';
import type { ClassTable } from './storage-class.js';

/** Which attributes a copy carries. Absent fields: no. Content headers and the source's time always are. */
export interface CarryPolicy {
  /** User metadata and the website redirect. */
  metadata: boolean;
  tags?: true;
  acl?: true;
  lock?: true;
  fidelity: FidelityLevel;
  /** `keep`, `map`, or one class of the destination for all; absent: what the destination gives by itself. */
  storageClass?: string;
  /** Of `map`: classes that take the place of the usual ones. */
  classes?: ClassTable;
  /** Content headers and metadata that take the place of the source's. */
  set?: { headers: ContentHeaders; metadata: UserMetadata };
}

/** As without any flags. */
export const USUAL_POLICY: CarryPolicy = { metadata: true, fidelity: 'warn' };
