/**
 * How user metadata is written where a store's headers cannot hold it as it is. All of it is undone when it is read, so
 * that a copy of a copy has what the original had:
 * - A name with other characters than the store allows: each UTF-8 byte of such a character becomes `-xHH-`. `my_key` is
 *   `my-x5f-key` at OSS, and stays `my_key` at S3.
 * - A value that is not printable ASCII, or that other software could trim: an RFC 2047 encoded word (`=?UTF-8?B?5Lit?=`),
 *   the form in which S3 returns such values.
 * - Entries that together are larger than the store allows: one entry, `xsync-packed`, with all of them compressed.
 * What is still too large is left out, the largest entries first.
 *
 * Both ways are exact: what reads like an encoding and is none (because it stands for something that needs no encoding)
 * is left alone, and what was there is written back byte for byte.
 */
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { UserMetadata } from '../../model/object.js';
import type { MetadataLimits } from '../port.js';

export interface Spelled {
  /** As headers without the vendor's prefix. */
  entries: [name: string, text: string][];
  /** Names that are written in another form. */
  encoded: string[];
  /** Names that did not fit. */
  left: string[];
}

const PACKED = 'xsync-packed';
/** No store keeps more. */
const MOST_UNPACKED = 64 * 1024;

/** Whether the store can hold the metadata as it is; quick. */
export function isPlain(metadata: UserMetadata, limits: MetadataLimits): boolean {
  let bytes = 0;
  for (const name in metadata) {
    const value = metadata[name] ?? '';
    if (!isPlainName(name, limits.name) || !isPlainValue(value)) return false;
    bytes += limits.perName + name.length + value.length;
  }
  return bytes <= limits.maxBytes;
}

function isPlainName(name: string, allowed: RegExp): boolean {
  return allowed.test(name) && !name.includes('-x') && !/[A-Z]/.test(name) && name !== PACKED;
}

const PLAIN_VALUE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

function isPlainValue(value: string): boolean {
  return PLAIN_VALUE.test(value) && !value.includes('=?');
}

/** Names are lower-cased, as HTTP does. */
export function spell(metadata: UserMetadata, limits: MetadataLimits): Spelled {
  const all = Object.entries(metadata).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const names = all.map(([name]) => name);
  const spelled = all.map(([name, value]): [string, string] => [encodeName(name, limits.name), encodeValue(value)]);
  if (sizeOf(spelled, limits) <= limits.maxBytes) {
    const encoded = names.filter((name, i) => spelled[i]?.[0] !== name || spelled[i]?.[1] !== all[i]?.[1]);
    return { entries: spelled, encoded, left: [] };
  }
  for (let rest = bySize(all); rest.length > 0; rest = rest.slice(0, -1)) {
    const entries = packOrPlain(rest, limits);
    if (!entries) continue;
    const kept = new Set(rest.map(([name]) => name));
    return { entries, encoded: [...kept], left: names.filter((name) => !kept.has(name)) };
  }
  return { entries: [], encoded: [], left: names };
}

/** Smallest first. */
function bySize(entries: readonly [string, string][]): [string, string][] {
  const size = ([name, value]: [string, string]) => name.length + value.length;
  return [...entries].sort((a, b) => size(a) - size(b));
}

/** Undefined: it does not fit in either form. */
function packOrPlain(entries: [string, string][], limits: MetadataLimits): [string, string][] | undefined {
  const plain = entries.map(([name, value]): [string, string] => [encodeName(name, limits.name), encodeValue(value)]);
  if (sizeOf(plain, limits) <= limits.maxBytes) return plain;
  // Equal metadata is packed equally.
  const inOrder = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const packed: [string, string][] = [[PACKED, brotliCompressSync(JSON.stringify(inOrder)).toString('base64')]];
  return sizeOf(packed, limits) <= limits.maxBytes ? packed : undefined;
}

function sizeOf(entries: readonly [string, string][], { perName }: MetadataLimits): number {
  return entries.reduce((sum, [name, text]) => sum + perName + name.length + text.length, 0);
}

/** The metadata of headers without the vendor's prefix, whose values are decoded bytes (UTF-8, or else Latin-1). */
export function unspell(
  headers: readonly [name: string, text: string][],
  { name: allowed }: { name: RegExp },
): UserMetadata {
  const entries = headers.flatMap(([name, text]): [string, string][] => {
    const unpacked = name === PACKED ? unpack(text) : undefined;
    return unpacked ?? [[decodeName(name, allowed), decodeValue(text)]];
  });
  // An assignment would lose a name such as `__proto__`.
  return Object.fromEntries(entries);
}

/** Undefined for what `spell` did not write. */
function unpack(text: string): [string, string][] | undefined {
  try {
    const bytes = brotliDecompressSync(Buffer.from(text, 'base64'), { maxOutputLength: MOST_UNPACKED });
    const entries: unknown = JSON.parse(bytes.toString('utf8'));
    return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
  } catch (error) {
    if (error instanceof Error && !isXsyncError(error)) return undefined;
    throw error;
  }
}

function isEntry(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((text) => typeof text === 'string');
}

/** @see the file's comment */
export function encodeName(name: string, allowed: RegExp): string {
  return needsName(name, allowed) ? escapeName(name, allowed) : name;
}

export function decodeName(name: string, allowed: RegExp): string {
  if (!name.includes('-x')) return name;
  const decoded = unescapeName(name);
  return decoded !== name && escapeName(decoded, allowed) === name && needsName(decoded, allowed) ? decoded : name;
}

/** The store cannot hold the name, or it would be read as another one. */
function needsName(name: string, allowed: RegExp): boolean {
  return !allowed.test(name) || decodeName(name, allowed) !== name;
}

/** @param allowed of whole names; tested with single characters here */
function escapeName(name: string, allowed: RegExp): string {
  return [...name]
    .map((c, i, all) => {
      // A hyphen before what would then read as an escape.
      const next = all[i + 4] ?? 'a';
      const starts = /^x[0-9a-f]{2}$/.test(all.slice(i + 1, i + 4).join('')) && (next === '-' || !allowed.test(next));
      const escapes = c === '-' ? starts : !allowed.test(c);
      return escapes ? [...Buffer.from(c)].map((byte) => `-x${byte.toString(16).padStart(2, '0')}-`).join('') : c;
    })
    .join('');
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function unescapeName(name: string): string {
  return name.replace(/(?:-x[0-9a-f]{2}-)+/g, (run) => {
    try {
      return STRICT_UTF8.decode(Buffer.from(run.replace(/-x|-/g, ''), 'hex'));
    } catch {
      return run;
    }
  });
}

export function encodeValue(value: string): string {
  return needsValue(value) ? `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=` : value;
}

/** Decodes encoded words of xsync, S3 and other software (base64 or quoted-printable); leaves other values unchanged. */
export function decodeValue(text: string): string {
  if (!text.includes('=?')) return text;
  const decoded = decodeWords(text);
  return decoded !== text && needsValue(decoded) ? decoded : text;
}

/** The store cannot hold the value, or it would be read as another one. */
function needsValue(value: string): boolean {
  return !PLAIN_VALUE.test(value) || decodeValue(value) !== value;
}

const WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

/** White space between two words is dropped (RFC 2047). */
function decodeWords(text: string): string {
  return text.replace(/(\?=)\s+(?==\?utf-8\?[bq]\?)/gi, '$1').replace(WORD, (_word, kind: string, coded: string) => {
    if (kind.toLowerCase() === 'b') return Buffer.from(coded, 'base64').toString('utf8');
    const bytes = coded
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_c, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  });
}

/** Headers for a store that got metadata which it cannot hold: the engine leaves out what does not fit. @throws metadata-too-large */
export function spellAll(key: string, metadata: UserMetadata, limits: MetadataLimits): [name: string, text: string][] {
  if (isPlain(metadata, limits)) return Object.entries(metadata);
  const { entries, left } = spell(metadata, limits);
  if (left.length === 0) return entries;
  const message = `the metadata ${left.map((name) => JSON.stringify(name)).join(', ')} does not fit into the ${limits.maxBytes} bytes of the store`;
  throw new XsyncError('metadata-too-large', message, {
    subject: key,
    remedy: 'Shorten the metadata, or copy without it (--no-metadata).',
  });
}
