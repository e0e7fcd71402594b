/**
 * The head of a response: status line, headers, and how its body is framed (RFC 9112, sections 4 to 6 and 9).
 * Tests: test/store/http/parser.test.ts
 */

import { ResponseFault } from './faults.js';

/** How many bytes the body has; `chunked`: its chunks say; `close`: it ends with the connection. */
export type Framing = number | 'chunked' | 'close';

export interface ResponseHead {
  status: number;
  /** Lower-case names; repeated headers joined by `, `; values are latin1. */
  headers: Record<string, string>;
  framing: Framing;
  /** Whether the server takes another request on this connection. */
  persistent: boolean;
  /** How long it keeps the idle connection, if it says so (`Keep-Alive: timeout=5`). */
  keepAliveMs?: number;
}

/** More header lines than this are refused. S3 returns at most 2 KB of metadata, OSS 8 KB. */
const MAX_HEADERS = 1000;

// Without obsolete line folding, white space before the colon, and control characters.
const TEXT = '[\\t\\x20-\\x7e\\x80-\\xff]*';
/** The characters of names, as a pattern. */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const HEADER = `${TOKEN}:${TEXT}`;
const STATUS = `HTTP/1\\.[01] [1-9]\\d\\d(?: ${TEXT})?`;
const HEADER_LINE = new RegExp(`^${HEADER}$`);
const STATUS_LINE = new RegExp(`^${STATUS}(?:\\r\\n|$)`);
const HEAD = new RegExp(`^${STATUS}(?:\\r\\n${HEADER})*$`);

/** Headers that say where a body ends. */
const FRAMING = /^(content-length|transfer-encoding):/i;

/** Whether the line may stand behind a chunked body. Trailers are not used. */
export function isTrailer(line: string): boolean {
  return HEADER_LINE.test(line) && !FRAMING.test(line);
}

/**
 * @param text the head as latin1, without the empty line that ends it
 * @param method of the request: a response to HEAD has no body
 * @throws ResponseFault
 */
export function readHead(text: string, method: string): ResponseHead {
  if (!HEAD.test(text)) {
    throw new ResponseFault(
      STATUS_LINE.test(text) ? 'has a malformed header line' : 'does not begin with a status line',
    );
  }
  const status = Number(text.slice(9, 12));
  const headers = readHeaders(text);
  const older = text[7] === '0';
  // HTTP/1.0 has no interim responses.
  if (older && status < 200) throw new ResponseFault(`has the status ${status}`);
  const framing = framingOf(status, headers, method, older);
  const connection = tokensOf(headers.connection);
  const persistent =
    framing !== 'close' && !connection.includes('close') && (!older || connection.includes('keep-alive'));
  const announced = /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,9})/i.exec(headers['keep-alive'] ?? '')?.[1];
  return { status, headers, framing, persistent, ...(announced && { keepAliveMs: Number(announced) * 1000 }) };
}

function readHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  let count = 0;
  for (let end = text.indexOf('\r\n'); end >= 0; count++) {
    const start = end + 2;
    end = text.indexOf('\r\n', start);
    const colon = text.indexOf(':', start);
    const name = text.slice(start, colon).toLowerCase();
    const value = bare(text, colon + 1, end < 0 ? text.length : end);
    if (!Object.hasOwn(headers, name)) headers[name] = value;
    else if (name === 'content-length') throw new ResponseFault('has two Content-Length headers');
    else headers[name] += `, ${value}`;
  }
  if (count > MAX_HEADERS) throw new ResponseFault(`has more than ${MAX_HEADERS} headers`);
  return headers;
}

/** Without the blanks around it. `trim` would also remove bytes of UTF-8 that are no-break spaces in latin1. */
function bare(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function framingOf(status: number, headers: Record<string, string>, method: string, older: boolean): Framing {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined) {
    // Whoever reads the other of the two sees another end of the body, and another response after it.
    if (length !== undefined) throw new ResponseFault('has both Transfer-Encoding and Content-Length');
    if (older || coding.toLowerCase() !== 'chunked') throw new ResponseFault(`has the transfer encoding ${coding}`);
  }
  if (length !== undefined && !(/^\d{1,16}$/.test(length) && Number.isSafeInteger(Number(length)))) {
    throw new ResponseFault('has a malformed Content-Length');
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return 'chunked';
  return length === undefined ? 'close' : Number(length);
}

function tokensOf(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(',').map((token) => token.trim().toLowerCase());
}
