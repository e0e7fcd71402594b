/** Encodes keys and parameters for URLs and decodes them from listings. Tests: test/store/s3/sign.test.ts */

import { XsyncError } from '../../model/error.js';
import { keyBytes } from '../../model/key.js';

/** S3's limit on keys, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** RFC 3986 percent-encoding as SigV4 requires it: everything but letters, digits and `-._~`. */
export function encodeParameter(text: string): string {
  if (PLAIN.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Encodes a key for the path once. Slashes and dot segments stay.
 * @throws key-not-representable: when the key is empty, longer than 1024 bytes, not well-formed Unicode, or contains
 * a NUL that the provider does not allow
 */
export function encodeKey(key: string, nul = true): string {
  if (PLAIN_PATH.test(key) && key.length > 0 && key.length <= MAX_KEY_BYTES) return key;
  const fault = keyFault(key, nul);
  if (fault !== undefined) {
    throw new XsyncError('key-not-representable', `the store cannot hold this key: it ${fault}`, { subject: key });
  }
  return encodeParameter(key).replaceAll('%2F', '/');
}

/** Whether `encodeKey` accepts the key. */
export function isKey(key: string, nul: boolean): boolean {
  return keyFault(key, nul) === undefined;
}

function keyFault(key: string, nul: boolean): string | undefined {
  if (key === '') return 'is empty';
  if (keyBytes(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  return !nul && key.includes('\0') ? 'contains a NUL' : undefined;
}

/** Query parameters, sorted and encoded. This form is both signed and sent. */
export function encodeQuery(parameters: Record<string, string | number | undefined>): string {
  const pairs: [string, string][] = [];
  for (const name in parameters) {
    const value = parameters[name];
    if (value !== undefined) pairs.push([encodeParameter(name), encodeParameter(String(value))]);
  }
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/**
 * Decodes a page's keys, or its prefixes, if they are encoded. Some stores claim `encoding-type=url` and encode neither,
 * or only the keys (Ceph before 15: https://tracker.ceph.com/issues/41870). A text that no encoder writes shows it.
 */
export function listedDecoder(encoding: string | undefined, texts: readonly string[]): (text: string) => string {
  return isEncoded(encoding, texts) ? decodeListed : (text) => text;
}

/** Whether the texts are encoded, see `listedDecoder`. */
export function isEncoded(encoding: string | undefined, texts: readonly string[]): boolean {
  return encoding?.toLowerCase() === 'url' && texts.every((text) => ENCODED.test(text));
}

/** Bytes that are not UTF-8 are encoded as well, so they prove nothing. */
const ENCODED = /^(?:[!-$&-~]|%[0-9A-Fa-f]{2})*$/;

/**
 * Undoes `encoding-type=url`: percent-encoded UTF-8 in which S3 writes a space as `+` and a plus as `%2B`. A key that is
 * not UTF-8 stays as it is: no object is found under that name, so that this object fails alone.
 */
export function decodeListed(text: string): string {
  return decoded(text) ?? text;
}

/** Undefined for a text that is not UTF-8. */
export function decoded(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** Characters that XML 1.0 cannot contain, not even as references. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Whether a key can be named in an XML request body. */
export function fitsXml(key: string): boolean {
  return !NOT_XML.test(key);
}

/** Text for an XML request body. White space except blanks becomes references, so that no parser normalizes it. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\n\r\u0085\u2028]/g, (c) => `&#${c.charCodeAt(0)};`);
}
