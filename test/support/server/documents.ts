/** The XML documents in requests, which are the same for both services. */
import { checkTags } from './attributes.js';
import { ServiceError } from './errors.js';
import { S3_CHECKSUMS } from './hashes.js';
import type { Protocol, StoredChecksum, Tag, Versioning } from './model.js';
import type { ChosenPart } from './uploads.js';
import { children, parseXml, textOf, type XmlNode } from './xml.js';

/** @throws MalformedXML */
export function versioningFrom(document: string): Versioning {
  const status = textOf(parseXml(document, 'VersioningConfiguration'), 'Status');
  if (status !== 'Enabled' && status !== 'Suspended') throw new ServiceError('MalformedXML');
  return status;
}

/** @throws MalformedXML, InvalidTag */
export function tagsFrom(document: string, protocol: Protocol): Tag[] {
  const [set = {}] = children(parseXml(document, 'Tagging'), 'TagSet');
  return checkTags(
    children(set, 'Tag').map((tag) => ({ key: textOf(tag, 'Key') ?? '', value: textOf(tag, 'Value') ?? '' })),
    protocol,
  );
}

export interface Deletions {
  /** `etag`, of S3: the version that the key must hold. */
  objects: { key: string; versionId?: string; etag?: string }[];
  quiet: boolean;
}

/** At most 1000 keys. @throws MalformedXML */
export function deletionsFrom(document: string): Deletions {
  const root = parseXml(document, 'Delete');
  const objects = children(root, 'Object').map((object) => {
    const key = textOf(object, 'Key');
    if (key === undefined) throw new ServiceError('MalformedXML');
    const versionId = textOf(object, 'VersionId');
    const etag = textOf(object, 'ETag');
    return { key, ...(versionId === undefined ? {} : { versionId }), ...(etag === undefined ? {} : { etag }) };
  });
  if (objects.length === 0 || objects.length > 1000) throw new ServiceError('MalformedXML');
  return { objects, quiet: textOf(root, 'Quiet') === 'true' };
}

/** @throws MalformedXML */
export function partsFrom(document: string): ChosenPart[] {
  return children(parseXml(document, 'CompleteMultipartUpload'), 'Part').map(chosenPart);
}

function chosenPart(node: XmlNode): ChosenPart {
  const partNumber = Number(textOf(node, 'PartNumber'));
  const etag = textOf(node, 'ETag');
  if (!Number.isInteger(partNumber) || etag === undefined) throw new ServiceError('MalformedXML');
  let checksum: StoredChecksum | undefined;
  for (const name of S3_CHECKSUMS) {
    const value = textOf(node, `Checksum${name.toUpperCase()}`);
    if (value !== undefined) checksum = { name, value, type: 'FULL_OBJECT' };
  }
  return { partNumber, etag, ...(checksum ? { checksum } : {}) };
}
