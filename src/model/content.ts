/**
 * A checksum of an object's bytes that the manifest keeps, to compare a file with what was copied of it.
 * Tests: test/engine/decide/believed.test.ts
 */
export type Content =
  | { name: 'md5' | 'crc64ecma'; value: string }
  /** `partSize`: bytes of each part but the last. */
  | { name: 'md5ofParts'; value: string; partSize: number };

/** `md5:…`, `crc64ecma:…`, `md5ofParts:…@<part size>`. */
export function contentText(content: Content): string {
  const { name, value } = content;
  return name === 'md5ofParts' ? `${name}:${value}@${content.partSize}` : `${name}:${value}`;
}

/** Undefined if it is not such a text. */
export function parseContent(text: string): Content | undefined {
  const [, name, value, partSize] = /^(md5|crc64ecma|md5ofParts):([0-9a-f-]+)(?:@([1-9]\d*))?$/.exec(text) ?? [];
  if (value === undefined || (name === 'md5ofParts') !== (partSize !== undefined)) return undefined;
  if (name === 'md5' || name === 'crc64ecma') return { name, value };
  return name === 'md5ofParts' ? { name, value, partSize: Number(partSize) } : undefined;
}
