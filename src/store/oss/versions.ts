/** Reads GetBucketVersions. Tests: test/store/versions.test.ts */
import { timeIn, undecodable, versionOf, wholeNumber, withNames } from '../http/rows.js';
import { inOneOrder, pageAfter, type VersionMarker } from '../http/versions.js';
import { readXml } from '../http/xml.js';
import type { VersionEntry, VersionPage } from '../port.js';
import { isTruncated, makeEntry, need } from './answers.js';
import { decoded, decodeUrl } from './encode.js';

const ROW = ['Key', 'VersionId', 'IsLatest', 'LastModified'] as const;

const PAGE = {
  root: 'ListVersionsResult',
  fields: ['IsTruncated', 'NextKeyMarker', 'NextVersionIdMarker'],
  lists: { Version: [...ROW, 'Size', 'ETag', 'Type', 'StorageClass', 'RestoreInfo'], DeleteMarker: ROW },
  quoted: ['ETag'],
  sequence: true,
} as const;

type VersionFields = Partial<Record<(typeof PAGE)['lists']['Version'][number], string>>;

/** One page, after `marker`. */
export function readVersionPage(body: Buffer, marker: VersionMarker | undefined): VersionPage {
  const { fields, sequence } = readXml(body, PAGE);
  const nameOf = ({ fields: { Key, VersionId } }: (typeof sequence)[number]) => VersionId && Key;
  const named = withNames(sequence, nameOf, decodeUrl, 'row without a version');
  const versions = inOneOrder(
    named.rows.map(({ list, fields }) => (list === 'Version' ? versionOfRow(fields) : markerOf(fields))),
  );
  const page = { versions: [...versions], damaged: named.damaged };
  if (!isTruncated(fields)) return pageAfter(marker, page, undefined);
  const key = decodeUrl(need(fields, 'NextKeyMarker'));
  return pageAfter(marker, page, { key, versionId: fields.NextVersionIdMarker });
}

function versionOfRow(row: VersionFields): VersionEntry {
  const key = decoded(row.Key ?? '');
  const entry = makeEntry({
    ...versionOf({ size: wholeNumber(row.Size), etag: row.ETag, mtimeMs: timeIn(row.LastModified) }),
    key: key ?? row.Key ?? '',
    type: row.Type,
    listed: true,
    storageClass: row.StorageClass,
    restore: row.RestoreInfo,
  });
  return { ...(key === undefined ? undecodable(entry) : entry), ...whichOf(row) };
}

function markerOf(row: VersionFields): VersionEntry {
  const key = decoded(row.Key ?? '');
  const marker = { key: key ?? row.Key ?? '', size: 0, etag: '', mtimeMs: timeIn(row.LastModified) ?? 0 };
  return { ...(key === undefined ? undecodable(marker) : marker), ...whichOf(row), deleteMarker: true };
}

function whichOf({ VersionId = '', IsLatest }: VersionFields): Pick<VersionEntry, 'versionId' | 'isLatest'> {
  return { versionId: VersionId, isLatest: IsLatest === 'true' };
}
