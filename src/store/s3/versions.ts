/** Reads ListObjectVersions. Tests: test/store/versions.test.ts */
import { XsyncError } from '../../model/error.js';
import { timeIn, undecodable, usableEtag, versionOf, wholeNumber, withNames } from '../http/rows.js';
import { inOneOrder, type VersionMarker } from '../http/versions.js';
import { readXml } from '../http/xml.js';
import type { VersionEntry } from '../port.js';
import type { ListedVersions, VersionRow } from './calls.js';
import { decoded, isEncoded, listedDecoder } from './encode.js';
import type { Promised } from './headers.js';
import { entryOf } from './listing.js';

const ROW = ['Key', 'VersionId', 'IsLatest', 'LastModified'] as const;

const PAGE = {
  root: 'ListVersionsResult',
  fields: ['IsTruncated', 'NextKeyMarker', 'NextVersionIdMarker', 'EncodingType'],
  lists: { Version: [...ROW, 'ETag', 'Size', 'StorageClass'], DeleteMarker: ROW },
  quoted: ['ETag'],
  sequence: true,
} as const;

/** One page. @throws invalid-response: it is not the last, and does not say where the next one begins */
export function readVersions(body: Buffer): ListedVersions {
  const { fields, sequence } = readXml(body, PAGE);
  const keys = sequence.flatMap(({ fields: { Key } }) => Key || []);
  const { EncodingType: encoding } = fields;
  const decode = listedDecoder(encoding, keys);
  const encoded = isEncoded(encoding, keys);
  const named = withNames(
    sequence,
    ({ fields: { Key, VersionId } }) => VersionId && Key,
    decode,
    'row without a version',
  );
  const rows = inOneOrder(named.rows.map((row) => rowOf(row, encoded)));
  return { rows: [...rows], damaged: named.damaged, next: nextOf(fields, rows, decode) };
}

type Row = ReturnType<typeof readXml<(typeof PAGE)['fields'][number], (typeof PAGE)['lists']>>['sequence'][number];

function rowOf({ list, fields }: Row, encoded: boolean): VersionRow {
  const { Key = '', VersionId = '', IsLatest, LastModified } = fields;
  const key = encoded ? decoded(Key) : Key;
  const row = {
    ...(key === undefined ? { key: Key, undecodable: true } : { key }),
    versionId: VersionId,
    isLatest: IsLatest?.trim().toLowerCase() === 'true',
    mtimeMs: timeIn(LastModified),
  };
  if (list === 'DeleteMarker') return { ...row, deleteMarker: true };
  const { Size, ETag, StorageClass } = fields as Partial<Record<(typeof PAGE)['lists']['Version'][number], string>>;
  return {
    ...row,
    deleteMarker: false,
    size: wholeNumber(Size),
    etag: usableEtag(ETag),
    storageClass: StorageClass,
  };
}

function nextOf(
  fields: Partial<Record<(typeof PAGE)['fields'][number], string>>,
  rows: readonly VersionRow[],
  decode: (key: string) => string,
): VersionMarker | undefined {
  const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = fields;
  const truncated = IsTruncated?.trim().toLowerCase();
  if (truncated === 'false' || (truncated === undefined && !NextKeyMarker)) return undefined;
  if (NextKeyMarker) return { key: decode(NextKeyMarker), versionId: NextVersionIdMarker || undefined };
  const last = rows.at(-1);
  if (last) return { key: last.key, versionId: last.versionId };
  throw new XsyncError('invalid-response', "the store's response has no version marker");
}

/** @param promised as in `checksumsOfEtag` */
export function versionEntryOf(row: VersionRow, promised: Promised): VersionEntry {
  const { key, versionId, isLatest, mtimeMs = 0 } = row;
  const which = { versionId, isLatest };
  if (row.deleteMarker) {
    const marker = { key, size: 0, etag: '', mtimeMs };
    return { ...(row.undecodable ? undecodable(marker) : marker), ...which, deleteMarker: true };
  }
  const entry = entryOf({ ...row, ...versionOf(row) }, { promised, restores: false });
  return { ...(row.etag === undefined ? { ...entry, checksums: undefined } : entry), ...which };
}
