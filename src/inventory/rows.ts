/** One row of an inventory, as an entry of a listing. Tests: test/inventory/rows.test.ts */
import type { ObjectEntry } from '../model/object.js';
import type { VersionEntry } from '../store/port.js';

/** A row, with the names of `columnName`; of CSV all are texts. Absent: the inventory has no such column, or no value. */
export interface InventoryRow {
  bucket?: string;
  key: string;
  versionid?: string;
  islatest?: boolean;
  isdeletemarker?: boolean;
  size?: number;
  /** ms since 1970 */
  lastmodifieddate?: number;
  etag?: string;
  storageclass?: string;
  /** `SSE-S3`, `SSE-KMS`, `DSSE-KMS`, `SSE-C`, `NOT-SSE`; of OSS `true` and `false`. */
  encryptionstatus?: string;
  intelligenttieringaccesstier?: string;
  /** Of OSS: `Normal`, `Multipart`, `Appendable`, `Symlink`. */
  objecttype?: string;
  /** Of OSS, unsigned decimal. */
  crc64?: string;
}

/** The columns that are read. */
export const COLUMNS: readonly (keyof InventoryRow)[] = [
  'bucket',
  'key',
  'versionid',
  'islatest',
  'isdeletemarker',
  'size',
  'lastmodifieddate',
  'etag',
  'storageclass',
  'encryptionstatus',
  'intelligenttieringaccesstier',
  'objecttype',
  'crc64',
];

/** What a listing of the bucket would have told at least. Without it, each object takes a HEAD. */
const NAMES: Readonly<Record<string, string>> = { size: 'Size', lastmodifieddate: 'LastModifiedDate', etag: 'ETag' };

/** Columns that are missing, as the services name them. */
export function missingColumns(columns: readonly string[]): string[] {
  return Object.entries(NAMES).flatMap(([column, name]) => (columns.includes(column) ? [] : name));
}

/** A version that is not the current one, or hides the others. */
export function isHidden({ islatest, isdeletemarker }: InventoryRow): boolean {
  return islatest === false || isdeletemarker === true;
}

/**
 * The entry. Its ETag is at most a hint of an MD5: an inventory does not say how the object was written.
 * @param usual the storage class that entries leave out
 */
export function entryOf(row: InventoryRow, usual: string | undefined): ObjectEntry {
  const { key, size = 0, etag = '', lastmodifieddate: mtimeMs = 0, storageclass, objecttype = 'Normal' } = row;
  const kind = objecttype.toLowerCase();
  const entry: ObjectEntry = { key, size: kind === 'symlink' ? 0 : size, etag, mtimeMs };
  if (storageclass && storageclass.toLowerCase() !== usual?.toLowerCase()) entry.storageClass = storageclass;
  if (kind === 'symlink' || kind === 'appendable') return { ...entry, special: kind };
  const isHint = kind === 'normal' && LIKE_MD5.test(etag) && !isOpaque(row);
  if (isHint || row.crc64) {
    entry.checksums = { ...(isHint && { etagHint: etag.toLowerCase() }), ...(row.crc64 && { crc64ecma: row.crc64 }) };
  }
  return Object.assign(entry, archiveOf(row));
}

/** Columns that a list of versions needs, as the services name them, and which are missing. */
export function missingForVersions(columns: readonly string[]): string[] {
  const names = ['VersionId', 'IsLatest', ...Object.values(NAMES)];
  return names.filter((name) => !columns.includes(name.toLowerCase()));
}

/** As `entryOf`, of any row of an inventory with all versions. */
export function versionOf(row: InventoryRow, usual: string | undefined): VersionEntry {
  const { versionid: versionId = 'null', islatest: isLatest = false, isdeletemarker } = row;
  if (!isdeletemarker) return { ...entryOf(row, usual), versionId, isLatest };
  const { key, lastmodifieddate: mtimeMs = 0 } = row;
  return { key, size: 0, etag: '', mtimeMs, versionId, isLatest, deleteMarker: true };
}

const LIKE_MD5 = /^[0-9a-fA-F]{32}(-\d+)?$/;

/** Encrypted with a key that makes the ETag no MD5. OSS does not say which one it is. */
function isOpaque({ encryptionstatus = '' }: InventoryRow): boolean {
  return /^(D?SSE-KMS|SSE-C|true)$/i.test(encryptionstatus);
}

/** Classes that must be restored before they are read. An object that was restored is told by its read. */
function archiveOf({ storageclass = '', intelligenttieringaccesstier: tier = '' }: InventoryRow): Partial<ObjectEntry> {
  if (/ARCHIVE/i.test(tier) && !/INSTANT/i.test(tier)) return { special: 'archived', archive: 'frozen' };
  if (/^(cold|deepcold)archive$/i.test(storageclass)) return { special: 'archived', archive: 'frozen' };
  return /^(glacier|deep_archive|archive)$/i.test(storageclass) ? { special: 'archived' } : {};
}
