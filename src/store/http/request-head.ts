/** Writes the head of a request. Tests: test/store/http/request-head.test.ts */
import { RequestFault } from './faults.js';
import { TOKEN } from './response-head.js';

const NAME = new RegExp(`^${TOKEN}$`);
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;

/** Names that were found well-formed: most requests of a run have the same. */
const good = new Set<string>();
const MOST_NAMES = 1000;

/** Methods whose requests say that they have no body. */
const WITH_BODY = new Set(['PUT', 'POST', 'PATCH']);

/**
 * The head as latin1, one character a byte.
 * @param target path and query, or the whole URL for a forwarding proxy
 * @param headers in the order in which they are sent
 * @param length bytes of the body; undefined: none
 * @param defaults sent before them, unless `headers` has the name. With `host` in one of the two
 * @throws RequestFault
 */
export function requestHead(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  length: number | undefined,
  defaults: Readonly<Record<string, string>> = {},
): string {
  if (!NAME.test(method)) throw new RequestFault('the method is malformed');
  if (!TARGET.test(target)) throw new RequestFault('the path contains a blank or a control character');
  let head = `${method} ${target} HTTP/1.1\r\nconnection: keep-alive\r\n`;
  for (const name in defaults) if (headers[name] === undefined) head += line(name, defaults[name] ?? '');
  for (const name in headers) head += line(name, headers[name] ?? '');
  const said = length ?? (WITH_BODY.has(method) ? 0 : undefined);
  return said === undefined ? `${head}\r\n` : `${head}content-length: ${said}\r\n\r\n`;
}

function line(name: string, value: string): string {
  if (!good.has(name)) {
    if (!NAME.test(name)) throw new RequestFault('the name of a header is malformed');
    if (good.size < MOST_NAMES) good.add(name);
  }
  if (!VALUE.test(value)) throw new RequestFault(`the value of ${name} is malformed`, name);
  return `${name}: ${value}\r\n`;
}
