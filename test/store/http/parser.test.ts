import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ResponseFault } from '../../../src/store/http/faults.js';
import { ResponseParser } from '../../../src/store/http/parser.js';
import type { ResponseHead } from '../../../src/store/http/response-head.js';

/** What a reader understood of a response; undefined: it refused it. */
interface Understood {
  status: number;
  headers: Record<string, string>;
  body: string;
}

interface Reading extends Understood {
  persistent: boolean;
  keepAliveMs?: number;
  /** Bytes that follow the response. */
  left: number;
}

/** Feeds the pieces, and then the end of the connection unless the response is complete. @throws ResponseFault */
function read(pieces: readonly Buffer[], method = 'GET'): Reading {
  let head: ResponseHead | undefined;
  let left = 0;
  const body: Buffer[] = [];
  const parser = new ResponseParser();
  parser.begin(method, {
    onHead: (arrived) => {
      if (head !== undefined) throw new Error('two heads');
      head = arrived;
    },
    onData: (bytes) => {
      if (head === undefined || bytes.length === 0) throw new Error('data without a head, or without bytes');
      body.push(Buffer.from(bytes));
    },
  });
  for (const piece of pieces) left += piece.length - (parser.done ? 0 : parser.read(piece));
  if (!parser.done && !parser.close()) throw new ResponseFault('is cut short');
  if (head === undefined) throw new Error('complete without a head');
  const { status, headers, persistent, keepAliveMs } = head;
  return { status, headers, body: Buffer.concat(body).toString('latin1'), persistent, keepAliveMs, left };
}

const whole = (text: string, method?: string) => read([Buffer.from(text, 'latin1')], method);
const bytewise = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

const OK = 'HTTP/1.1 200 OK\r\n';
const chunked = (text: string) => `${OK}Transfer-Encoding: chunked\r\n\r\n${text}`;

describe('the parts of a response', () => {
  it('are its status, its headers and its body', () => {
    expect(whole(`${OK}Content-Length: 5\r\nX-A:  b c \t\r\nx-a: d\r\nEmpty:\r\n\r\nhello`)).toEqual({
      status: 200,
      headers: { 'content-length': '5', 'x-a': 'b c, d', empty: '' },
      body: 'hello',
      persistent: true,
      left: 0,
    });
  });

  it('keep the bytes of UTF-8 that look like blanks, and names that objects have by themselves', () => {
    const { headers } = whole(`${OK}A: \xa0\xc2\xa0\r\nConstructor: x\r\n__proto__: y\r\nContent-Length: 0\r\n\r\n`);
    expect(headers.a).toBe('\xa0\xc2\xa0');
    expect(headers.constructor).toBe('x');
  });

  it.each([
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['3;name=value;b="c d"\r\nhel\r\n02\r\nlo\r\n000\r\n\r\n', 'hello'],
    ['A\r\n0123456789\r\n0\r\nX-Sum: abc\r\nY:\r\n\r\n', '0123456789'],
    ['0\r\n\r\n', ''],
  ])('are read from chunks: %j', (text, body) => {
    expect(whole(chunked(text))).toMatchObject({ body, persistent: true, left: 0 });
  });

  it.each([
    ['HEAD', `${OK}Content-Length: 9\r\n\r\n`],
    ['HEAD', `${OK}Transfer-Encoding: chunked\r\n\r\n`],
    ['HEAD', `${OK}\r\n`],
    ['GET', 'HTTP/1.1 204 No\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n'],
    ['GET', `${OK}Content-Length: 0\r\n\r\n`],
  ])('have no body: %s %j', (method, text) => {
    expect(whole(text, method)).toMatchObject({ body: '', persistent: true, left: 0 });
  });

  it('leave what follows the response', () => {
    expect(whole(`${OK}Content-Length: 2\r\n\r\nabcde`)).toMatchObject({ body: 'ab', left: 3 });
    expect(whole(chunked('1\r\na\r\n0\r\n\r\nHTTP'))).toMatchObject({ body: 'a', left: 4 });
    expect(whole(`HTTP/1.1 204 No\r\n\r\n${OK}`)).toMatchObject({ body: '', left: OK.length });
  });

  it('come after responses that announce them', () => {
    const before = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\nContent-Length: 7\r\n\r\n';
    expect(whole(`${before}${OK}Content-Length: 1\r\n\r\na`)).toMatchObject({ status: 200, body: 'a' });
  });

  it('end with the connection, which cannot be used again, when nothing else says where they end', () => {
    expect(whole(`${OK}\r\nabc`)).toMatchObject({ body: 'abc', persistent: false });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', true, undefined],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n', false, undefined],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n', false, undefined],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n', true, undefined],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5, max=100\r\n', true, 5000],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: max=1, Timeout=7\r\n', true, 7000],
  ])('say whether the connection lasts: %j', (head, persistent, keepAliveMs) => {
    expect(whole(`${head}\r\n`)).toMatchObject({ persistent, ...(keepAliveMs && { keepAliveMs }) });
  });
});

describe('refused', () => {
  const long = 'x'.repeat(33_000);
  it.each([
    ['another protocol', '220 smtp.example ESMTP\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['an announcement of HTTP/1.0', `HTTP/1.0 100 Continue\r\n\r\n${OK}Content-Length: 0\r\n\r\n`],
    ['another protocol from here on', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'],
    ['line feeds alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a line feed alone between headers', `${OK}A: b\nContent-Length: 0\r\n\r\n`],
    ['a carriage return in a value', `${OK}A: b\rContent-Length: 0\r\n\r\n`],
    ['a folded header', `${OK}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`],
    ['a blank before the colon', `${OK}Content-Length : 0\r\n\r\n`],
    ['a header without a name', `${OK}: 0\r\n\r\n`],
    ['a header without a colon', `${OK}Content-Length\r\n\r\n`],
    ['a control character', `${OK}A: \x01\r\n\r\n`],
    ['a NUL in the status line', 'HTTP/1.1 200 \0\r\n\r\n'],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`],
    ['the same length twice', `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    ['two lengths in one header', `${OK}Content-Length: 1, 1\r\n\r\na`],
    ['a signed length', `${OK}Content-Length: +1\r\n\r\na`],
    ['a hexadecimal length', `${OK}Content-Length: 0x1\r\n\r\na`],
    ['an empty length', `${OK}Content-Length: \r\n\r\na`],
    ['a length beyond all numbers', `${OK}Content-Length: 99999999999999999999\r\n\r\na`],
    ['a length and chunks', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`],
    ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk without a size', chunked('\r\n')],
    ['a size with a sign', chunked('-1\r\na\r\n0\r\n\r\n')],
    ['a size with a blank', chunked('1 \r\na\r\n0\r\n\r\n')],
    ['a malformed extension', chunked('1;a= b\r\na\r\n0\r\n\r\n')],
    ['a size with a prefix', chunked('0x1\r\na\r\n0\r\n\r\n')],
    ['a size beyond all numbers', chunked('ffffffffffffffff\r\n')],
    ['a chunk that is longer than its size', chunked('1\r\nab\r\n0\r\n\r\n')],
    ['a chunk that ends with a line feed', chunked('1\r\na\n0\r\n\r\n')],
    ['a size line that ends with a line feed', chunked('1\na\r\n0\r\n\r\n')],
    ['a malformed trailer', chunked('0\r\nX Y: z\r\n\r\n')],
    ['a length behind the body', chunked('0\r\nContent-Length: 0\r\n\r\n')],
    ['a head without end', `${OK}A: ${long}`],
    ['a long head', `${OK}A: ${long}\r\n\r\n`],
    ['too many headers', `${OK}${'a:\r\n'.repeat(1001)}\r\n`],
    ['a status line without end', `HTTP/1.1 200 ${'x'.repeat(2000)}`],
    ['a chunk size without end', chunked(`1;${'x'.repeat(2000)}`)],
    ['a trailer without end', chunked(`0\r\n${'a: b\r\n'.repeat(9000)}`)],
    ['announcements without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1001)],
    ['a head cut short', `${OK}Content-Len`],
    ['a body cut short', `${OK}Content-Length: 3\r\n\r\nab`],
    ['chunks cut short', chunked('3\r\nabc\r\n')],
    ['a trailer cut short', chunked('0\r\n')],
    ['nothing', ''],
  ])('%s', (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => read([bytes])).toThrow(ResponseFault);
    expect(() => read(bytewise(bytes))).toThrow(ResponseFault);
  });

  it('a service that speaks first in another language, before it has sent a line', () => {
    const parser = new ResponseParser();
    parser.begin('GET', { onHead: () => {}, onData: () => {} });
    expect(() => parser.read(Buffer.from('SSH-2.0-x'))).toThrow('does not begin with a status line');
  });
});

/** A seeded generator, so that a failure can be repeated (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;
const oneOf = <T>(rnd: Random, all: readonly T[]): T => all[rnd(all.length)] as T;

function textOf(rnd: Random, alphabet: string, longest: number): string {
  return Array.from({ length: rnd(longest + 1) }, () => alphabet[rnd(alphabet.length)]).join('');
}

const VALUE = 'abcXYZ019 \t;,="/-_\xc3\xa9\xa0\xff';
const NAME = "abcXYZ019-_.!#$%&'*+^`|~";
const BODY = 'ab\r\n0\0\xffHTTP/1.1 :';

/** A valid response, as S3 and OSS could send it. */
function response(rnd: Random, method: string): string {
  const interim = oneOf(rnd, ['', '', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early\r\nLink: a\r\n\r\n']);
  const status = oneOf(rnd, [200, 200, 206, 201, 204, 304, 307, 400, 404, 503, 599]);
  const lines = Array.from({ length: rnd(6) }, () => `x-${textOf(rnd, NAME, 8)}:${textOf(rnd, VALUE, 20)}`);
  if (rnd(4) === 0) lines.push(`connection: ${oneOf(rnd, ['close', 'keep-alive', 'Close'])}`);
  const bare = method === 'HEAD' || status === 204 || status === 304;
  const body = textOf(rnd, BODY, 40);
  const framing = rnd(5);
  let sent = body;
  if (framing < 2) lines.splice(rnd(lines.length + 1), 0, `Content-Length: ${body.length}`);
  else if (framing < 4) {
    lines.splice(rnd(lines.length + 1), 0, `Transfer-Encoding: ${oneOf(rnd, ['chunked', 'Chunked'])}`);
    sent = chunks(rnd, body);
  }
  const head = `HTTP/1.1 ${status}${oneOf(rnd, [' OK', ' ', '', ' Not so \xe9'])}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  return `${interim}${head}${bare ? '' : sent}`;
}

function chunks(rnd: Random, body: string): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const size = 1 + rnd(body.length - at);
    const line = `${oneOf(rnd, ['', '0', '00'])}${size.toString(16)}${oneOf(rnd, ['', '', ';a=b', ';c'])}`;
    text += `${line}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0\r\n${oneOf(rnd, ['', '', 'x-sum: abc\r\n'])}\r\n`;
}

/** What Node's own client makes of the bytes. */
async function oracle(bytes: Buffer, method: string): Promise<Understood | undefined> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const refuse = () => resolve(undefined);
    const call = request({ method, path: '/', createConnection: () => socket });
    call.on('error', refuse);
    call.on('close', () => setImmediate(refuse));
    call.on('upgrade', refuse);
    call.on('response', (answer) => {
      const body: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => body.push(chunk));
      answer.on('error', refuse);
      answer.on('end', () => {
        const headers: Record<string, string> = {};
        for (let i = 0; i < answer.rawHeaders.length; i += 2) {
          const name = answer.rawHeaders[i]?.toLowerCase() ?? '';
          const value = answer.rawHeaders[i + 1] ?? '';
          headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
        }
        const text = Buffer.concat(body).toString('latin1');
        resolve(answer.complete ? { status: answer.statusCode ?? 0, headers, body: text } : undefined);
      });
    });
    call.end();
    socket.push(bytes);
    socket.push(null);
  });
}

function understood({ status, headers, body }: Reading): Understood {
  return { status, headers, body };
}

/** Cheap where the two are equal, which is a hundred thousand times. */
function mustEqual(result: unknown, expected: unknown, where: string): void {
  if (!isDeepStrictEqual(result, expected)) expect(result, where).toEqual(expected);
}

function tryRead(pieces: readonly Buffer[], method: string): Reading | undefined {
  try {
    return read(pieces, method);
  } catch (error) {
    if (error instanceof ResponseFault) return undefined;
    throw error;
  }
}

describe('beside the client of Node', () => {
  it('reads the same from valid responses, cut at every place', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const rnd = random(seed);
      const method = oneOf(rnd, ['GET', 'GET', 'PUT', 'HEAD']);
      const bytes = Buffer.from(response(rnd, method), 'latin1');
      const expected = await oracle(bytes, method);
      expect(expected, `seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}`).toBeDefined();
      for (let cut = 0; cut <= bytes.length; cut++) {
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        mustEqual(understood(read(pieces, method)), expected, `seed ${seed}, cut at ${cut}`);
      }
      mustEqual(understood(read(bytewise(bytes), method)), expected, `seed ${seed}, byte by byte`);
    }
  });

  it('reads the same from damaged responses, or refuses them, however they arrive', async () => {
    let refused = 0;
    let same = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const rnd = random(seed * 7919);
      const method = oneOf(rnd, ['GET', 'GET', 'HEAD']);
      const bytes = damaged(rnd, Buffer.from(response(rnd, method), 'latin1'));
      const ours = tryRead([bytes], method);
      const cut = rnd(bytes.length + 1);
      const where = `seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}`;
      mustEqual(tryRead([bytes.subarray(0, cut), bytes.subarray(cut)], method), ours, where);
      mustEqual(tryRead(bytewise(bytes), method), ours, where);
      if (ours === undefined) refused++;
      else {
        // Node also complains about what follows the response.
        const own = bytes.subarray(0, bytes.length - ours.left);
        mustEqual(understood(ours), await oracle(own, method), where);
        same++;
      }
    }
    expect(Math.min(refused, same)).toBeGreaterThan(300);
  });
});

/** Changes, removes, repeats or inserts bytes at a few places. */
function damaged(rnd: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let times = 1 + rnd(3); times > 0; times--) {
    const at = rnd(result.length + 1);
    const to = Math.min(result.length, at + rnd(4));
    const inserted = oneOf(rnd, [
      '',
      '\r',
      '\n',
      '\r\n',
      '\0',
      ' ',
      ':',
      '0',
      '7',
      'f',
      '\xff',
      'Content-Length: 3\r\n',
    ]);
    const repeated = rnd(3) === 0 ? result.subarray(at, to) : Buffer.alloc(0);
    result = Buffer.concat([result.subarray(0, at), Buffer.from(inserted, 'latin1'), repeated, result.subarray(to)]);
  }
  return result;
}
