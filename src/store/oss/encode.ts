/**
 * Encodes names and queries for requests and for canonical requests: UTF-8, percent-encoded except `A-Za-z0-9-._~`
 * (and `/` in paths), as the documentation of the V4 signature requires. The same functions encode what is sent and
 * what is signed, so that they cannot differ.
 * Tests: test/store/oss/sign.test.ts
 */

/** Query parameters by name; an empty value is written as the name alone (`?uploads`). */
export type Query = Record<string, string>;

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;
const UNRESERVED_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** Percent-encodes everything but the unreserved characters of RFC 3986. */
export function escapeText(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Like `escapeText`, but keeps `/`. Dot segments and double slashes are part of a key and stay. */
export function escapePath(path: string): string {
  if (UNRESERVED_PATH.test(path)) return path;
  return escapeText(path).replaceAll('%2F', '/');
}

/** The query string, sorted by encoded name as V4 signs it, without `?`. */
export function encodeQuery(query: Query): string {
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [escapeText(name), escapeText(value)]);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&');
}

/**
 * Decodes `encoding-type=url` of a listing. OSS writes a space as `+` or `%20`, and a plus always as `%2B`. A key that
 * is not UTF-8 stays as it is: no object is found under that name, so that this object fails alone.
 */
export function decodeUrl(text: string): string {
  return decoded(text) ?? text;
}

/** Undefined for a text that is not UTF-8. */
export function decoded(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return undefined;
  }
}

/** A header value as HTTP libraries expect it: one character per byte. OSS expects (and signs) UTF-8. */
export function wireHeader(value: string): string {
  return isAscii(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** Decodes a header value; bytes that are not UTF-8 stay as received. */
export function readHeader(value: string): string {
  return isAscii(value) ? value : (decodeUtf8(Buffer.from(value, 'latin1')) ?? value);
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** Text of an XML element. Control characters become references, as in OSS's SDKs, although XML 1.0 forbids them. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\p{Cc}]/gu, (c) => `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`);
}
