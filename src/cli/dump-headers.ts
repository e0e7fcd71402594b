/**
 * --dump headers: the headers of every HTTP request and response, as they are on the wire, without secrets. Node, undici
 * and our own client publish them on diagnostics channels.
 * Tests: test/cli/dump-headers.test.ts
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Names of headers and query parameters whose values are never shown. */
const SECRET =
  /auth|token|cookie|signature|secret|passw|credential|access-?key|customer-key(?:-md5)?$|^(?:sig|se|sp|sv|policy|key-pair-id)$/i;
const HIDDEN = 'REDACTED';

type Listener = (message: unknown) => void;

/**
 * Passes each message to `say`, one line a header, until the returned function is called.
 * `> GET https://host/path` starts a request and `< 200 GET https://host/path` its response.
 */
export function dumpHeaders(say: (text: string) => void): () => void {
  const sent = (message: unknown): void => {
    const { request, headers } = fieldsOf(message);
    const [, ...lines] = textOf(headers).split('\r\n');
    sayAll(say, `> ${requestLine(fieldsOf(request))}`, '>', lines.map(splitLine));
  };
  const listeners: Readonly<Record<string, Listener>> = {
    'xsync:request': sent,
    'xsync:response': (message) => {
      const { request, response } = fieldsOf(message);
      const { statusCode, headers } = fieldsOf(response);
      sayAll(say, `< ${textOf(statusCode)} ${requestLine(fieldsOf(request))}`, '<', entriesOf(headers));
    },
    'undici:client:sendHeaders': sent,
    'undici:request:headers': (message) => {
      const { request, response } = fieldsOf(message);
      const { statusCode, headers } = fieldsOf(response);
      sayAll(say, `< ${textOf(statusCode)} ${requestLine(fieldsOf(request))}`, '<', pairsOf(headers));
    },
    'http.client.request.start': (message) => {
      const request = fieldsOf(fieldsOf(message).request);
      sayAll(say, `> ${nodeLine(request)}`, '>', entriesOf(call(request, 'getHeaders')));
    },
    'http.client.response.finish': (message) => {
      const { request, response } = fieldsOf(message);
      const { statusCode, headers } = fieldsOf(response);
      sayAll(say, `< ${textOf(statusCode)} ${nodeLine(fieldsOf(request))}`, '<', entriesOf(headers));
    },
  };
  for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener);
  };
}

function sayAll(say: (text: string) => void, first: string, mark: string, headers: readonly [string, string][]): void {
  say(first);
  for (const [name, value] of headers) {
    if (name !== '') say(`${mark} ${name}: ${SECRET.test(name) ? HIDDEN : withoutSecrets(value)}`);
  }
}

/** A URL, or a header's value that may hold one. */
function withoutSecrets(text: string): string {
  return text
    .replace(/([?&])([^=&#\s]+)=([^&#\s"'<>]*)/g, (all, before: string, name: string) =>
      SECRET.test(decoded(name)) ? `${before}${name}=${HIDDEN}` : all,
    )
    .replace(/(:\/\/)[^/@\s]+@/g, `$1${HIDDEN}@`);
}

function withoutQuery(path: string): string {
  return path.replace(/\?.*$/s, `?${HIDDEN}`);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function requestLine({ method, origin, path, secretQuery }: Fields): string {
  if (secretQuery === true) return `${textOf(method)} ${textOf(origin)}${withoutQuery(textOf(path))}`;
  return `${textOf(method)} ${withoutSecrets(`${textOf(origin)}${textOf(path)}`)}`;
}

function nodeLine({ method, protocol, host, path }: Fields): string {
  return `${textOf(method)} ${withoutSecrets(`${textOf(protocol)}//${textOf(host)}${textOf(path)}`)}`;
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function call(object: Fields, method: string): unknown {
  const { [method]: own } = object;
  return typeof own === 'function' ? own.call(object) : undefined;
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return Array.isArray(value) ? value.map(textOf).join(', ') : String(value ?? '');
}

/** undici's raw headers: names and values in turn. */
function pairsOf(headers: unknown): [string, string][] {
  const flat: unknown[] = Array.isArray(headers) ? headers : [];
  return flat.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[textOf(name), textOf(flat[at + 1])]] : []));
}

function entriesOf(headers: unknown): [string, string][] {
  return Object.entries(fieldsOf(headers)).map(([name, value]) => [name, textOf(value)]);
}

function splitLine(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()];
}
