import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Dropped, forever, reset, sleep } from './body.js';
import { Bytes } from './bytes.js';
import type { Exchange, Reply } from './exchange.js';

/** Bytes per write when the rate is limited. */
const SLOW_STEP = 16 * 1024;

/** Sends the response with the faults of this request, and logs what was sent. */
export async function send(exchange: Exchange, reply: Reply): Promise<void> {
  const { req, res, entry } = exchange;
  const spoilt = spoil(exchange, reply);
  const body = spoilt.body === undefined ? undefined : toBytes(spoilt.body);
  const headers = headersOf(spoilt, body);
  entry.status = spoilt.status;
  if (exchange.expectsContinue && !req.complete && entry.bytesIn === 0) headers.connection = 'close';
  const cut = cutOf(exchange, body?.size ?? 0);
  res.writeHead(spoilt.status, headers);
  if (exchange.method === 'HEAD' || !body) res.end();
  else if (cut) await sendPart(exchange, body, cut);
  else await sendWhole(exchange, body);
  if (!res.writableFinished) await Promise.race([once(res, 'finish'), once(res, 'close')]);
  entry.acknowledged = res.writableFinished && !exchange.fault('truncate')?.clean && !exchange.fault('truncated-xml');
}

function toBytes(body: Bytes | string): Bytes {
  return typeof body === 'string' ? Bytes.of(body) : body;
}

function headersOf(reply: Reply, body: Bytes | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    if (value !== undefined) headers[name] = value;
  }
  if (headers['transfer-encoding'] !== undefined) return headers;
  if (body) headers['content-length'] = String(body.size);
  else if (reply.status !== 204 && reply.status !== 304 && !('content-length' in (reply.headers ?? {}))) {
    headers['content-length'] = '0';
  }
  return headers;
}

/** Applies the faults that falsify the content of valid HTTP responses. */
function spoil(exchange: Exchange, reply: Reply): Reply {
  const result = { ...reply, headers: { ...reply.headers } };
  const ok = reply.status < 300;
  const flip = exchange.fault('flip-bit');
  if (ok && flip?.where === 'response' && result.body !== undefined) {
    result.body = toBytes(result.body).withFlippedBit(flip.offset);
  }
  if (ok && exchange.fault('wrong-checksum')) {
    for (const [name, value] of Object.entries(result.headers)) {
      if (value && /^x-oss-hash-crc64ecma$|^x-amz-checksum-(?!type|mode)/.test(name))
        result.headers[name] = falsify(value);
    }
  }
  const truncate = exchange.fault('truncate');
  const cutXml = exchange.fault('truncated-xml') && typeof result.body === 'string';
  if ((ok && truncate?.clean && result.body !== undefined) || cutXml) {
    const whole = toBytes(result.body ?? '');
    result.body = whole.slice(0, truncate?.bytes ?? Math.floor(whole.size / 2));
  }
  return result;
}

/** A different value of the same form. */
function falsify(value: string): string {
  const first = value[0] ?? '0';
  return (first === '1' ? '2' : '1') + value.slice(1);
}

interface Cut {
  how: 'reset' | 'stall' | 'close';
  bytes: number;
}

/** The fault that ends the response's body early, if any. */
function cutOf(exchange: Exchange, size: number): Cut | undefined {
  const half = Math.floor(size / 2);
  for (const fault of exchange.faults) {
    if (fault.kind === 'truncate' && !fault.clean) return { how: 'close', bytes: fault.bytes ?? half };
    if ((fault.kind === 'reset' || fault.kind === 'stall') && fault.at === 'response') {
      return { how: fault.kind, bytes: fault.afterBytes ?? half };
    }
  }
  return undefined;
}

/** Ends the response early; always throws. */
async function sendPart(exchange: Exchange, body: Bytes, cut: Cut): Promise<never> {
  const { res } = exchange;
  await write(exchange, body.slice(0, cut.bytes));
  if (cut.how === 'stall') await forever();
  // The bytes must be sent before the connection ends, or the fault would occur too early.
  await sleep(20);
  if (cut.how === 'reset') reset(exchange);
  res.socket?.end();
  throw new Dropped('truncated by a fault');
}

async function sendWhole(exchange: Exchange, body: Bytes): Promise<void> {
  const [only] = body.chunks;
  if (only && body.chunks.length === 1 && !exchange.fault('slow')?.bytesPerSecond) {
    exchange.entry.bytesOut += only.byteLength;
    exchange.res.end(only);
    return;
  }
  await write(exchange, body);
  exchange.res.end();
}

/** Resolves when more can be written or the client has disconnected; removes its listeners. */
async function drained(res: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]);
  } finally {
    over.abort();
  }
}

/** Writes with back-pressure, at the rate of a `slow` fault. */
async function write(exchange: Exchange, body: Bytes): Promise<void> {
  const { res, entry } = exchange;
  const rate = exchange.fault('slow')?.bytesPerSecond;
  for (const chunk of body.chunks) {
    const step = rate ? SLOW_STEP : chunk.byteLength;
    for (let at = 0; at < chunk.byteLength; at += step) {
      const piece = chunk.subarray(at, at + step);
      if (res.destroyed) throw new Dropped('the client went away');
      entry.bytesOut += piece.byteLength;
      if (!res.write(piece)) await drained(res);
      if (rate) await sleep((piece.byteLength / rate) * 1000);
    }
  }
}
