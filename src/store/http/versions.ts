/**
 * What lists of versions and the versioning of a bucket have in common at S3 and OSS.
 * Tests: test/store/versions.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { VersionEntry, Versioning, VersionListOptions, VersionPage } from '../port.js';
import { readXml } from './xml.js';

/** The answer to GetBucketVersioning. A bucket that never kept versions has no status. */
export function readVersioning(body: Buffer): Versioning {
  const { fields } = readXml(body, { root: 'VersioningConfiguration', fields: ['Status'], lists: {} });
  const status = fields.Status?.trim().toLowerCase();
  if (!status) return 'never';
  if (status === 'enabled' || status === 'suspended') return status;
  throw new XsyncError('invalid-response', "the response has no valid Status of the bucket's versioning");
}

type Ordered = Pick<VersionEntry, 'key' | 'isLatest'> & { mtimeMs?: number };

/**
 * The rows of a page, those of one key together. Services write versions and delete markers in one order, the newest of a
 * key first. Some stores write all versions and all markers apart: only there are they put in the order of keys, and merged
 * by their times if a key has both.
 */
export function inOneOrder<R extends Ordered>(rows: readonly R[]): readonly R[] {
  const seen = new Set<string>();
  let last: string | undefined;
  let together = true;
  let ascending = true;
  for (const { key, isLatest } of rows) {
    if (seen.has(key) && (key !== last || isLatest)) together = false;
    if (last !== undefined && key !== last && compareKeys(key, last) < 0) ascending = false;
    seen.add(key);
    last = key;
  }
  if (!together) return [...rows].sort(byKeyAndTime);
  return ascending ? rows : [...rows].sort((a, b) => compareKeys(a.key, b.key));
}

function byKeyAndTime(a: Ordered, b: Ordered): number {
  return compareKeys(a.key, b.key) || Number(b.isLatest) - Number(a.isLatest) || (b.mtimeMs ?? 0) - (a.mtimeMs ?? 0);
}

/** Where a page of versions begins: after a key, or after one of its versions. */
export interface VersionMarker {
  key: string;
  versionId?: string;
  /** This key's versions are not wanted. Ceph lists them, although it was asked for those after the key. */
  past?: string;
}

/** The markers of a token of `pageAfter`, or those of the first page. */
export function versionMarker({ token, startAfter }: VersionListOptions): VersionMarker | undefined {
  if (token === undefined) return startAfter ? { key: startAfter, past: startAfter } : undefined;
  const [key = '', versionId = '', past]: string[] = JSON.parse(token);
  return { key, ...(versionId && { versionId }), ...(past !== undefined && { past }) };
}

/** The port's page from what a service listed after `marker`. @param next absent on the last page */
export function pageAfter(
  marker: VersionMarker | undefined,
  { versions, damaged }: Omit<VersionPage, 'nextToken'>,
  next: VersionMarker | undefined,
): VersionPage {
  const past = marker?.past;
  const wanted = past === undefined ? versions : versions.filter(({ key }) => key !== past);
  if (!next) return { versions: wanted, damaged };
  const { key, versionId = '' } = next;
  const still = past === undefined || past !== key ? [] : [past];
  return { versions: wanted, damaged, nextToken: JSON.stringify([key, versionId, ...still]) };
}
