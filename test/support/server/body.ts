import { ServiceError } from './errors.js';
import type { Exchange } from './exchange.js';

/** The client or a fault ended the connection, so no response is possible. */
export class Dropped extends Error {}

/** Waits; the timer does not keep the process alive. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Never resolves: the request hangs until the client or the server's close() ends it. */
export function forever(): Promise<never> {
  return new Promise(() => {});
}

/** Resets the connection (RST), like a middlebox or a crashing peer. */
export function reset(exchange: Exchange): never {
  exchange.req.socket.resetAndDestroy();
  throw new Dropped('reset by a fault');
}

/**
 * Reads the request's body into one buffer. With a Content-Length, the buffer is allocated once and filled in place.
 * @throws MissingContentLength when the method has a body but neither a length nor chunked coding
 */
export function readBody(exchange: Exchange, limits: { maxBytes: number; chunkedAllowed: boolean }): Promise<Buffer> {
  const { req, res } = exchange;
  const declared = exchange.header('content-length');
  const chunked = exchange.header('transfer-encoding') !== undefined;
  if (declared === undefined && (!chunked || !limits.chunkedAllowed)) {
    if (exchange.method !== 'PUT' && !chunked) return Promise.resolve(Buffer.alloc(0));
    throw new ServiceError('MissingContentLength');
  }
  const length = Number(declared ?? 0);
  if (length > limits.maxBytes) {
    throw new ServiceError('EntityTooLarge', {
      elements: { ProposedSize: String(length), MaxSizeAllowed: String(limits.maxBytes) },
    });
  }
  if (exchange.expectsContinue) res.writeContinue();
  const sink = declared === undefined ? new GrowingSink(limits.maxBytes) : new FixedSink(length);
  const spoil = spoiler(exchange, length);
  return new Promise((resolve, reject) => {
    req.on('data', (chunk: Buffer) => {
      exchange.entry.bytesIn += chunk.byteLength;
      sink.write(chunk);
      spoil(chunk.byteLength, reject);
    });
    req.on('end', () => resolve(sink.finish()));
    req.on('close', () => {
      if (!req.complete) reject(new Dropped('the client went away'));
    });
    // 'close' follows. Without a listener, the error would end the process.
    req.on('error', () => undefined);
  });
}

interface Sink {
  write(chunk: Buffer): void;
  finish(): Buffer;
}

class FixedSink implements Sink {
  readonly #buffer: Buffer;
  #filled = 0;

  constructor(length: number) {
    this.#buffer = Buffer.allocUnsafe(length);
  }

  write(chunk: Buffer): void {
    this.#filled += chunk.copy(this.#buffer, this.#filled);
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#filled);
  }
}

class GrowingSink implements Sink {
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Discards bytes once the body is too large; `finish` refuses it. */
  write(chunk: Buffer): void {
    this.#size += chunk.byteLength;
    if (this.#size <= this.#maxBytes) this.#chunks.push(chunk);
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Applies the faults of a request body as its bytes arrive. */
function spoiler(exchange: Exchange, length: number): (bytes: number, reject: (error: Error) => void) => void {
  const { req } = exchange;
  const cut = exchange.faults.find(
    (fault) => (fault.kind === 'reset' || fault.kind === 'stall') && fault.at === 'request',
  );
  const rate = exchange.fault('slow')?.bytesPerSecond;
  const after = cut && 'afterBytes' in cut ? (cut.afterBytes ?? length / 2) : length / 2;
  let cutDone = false;
  return (bytes, reject) => {
    if (cut && !cutDone && exchange.entry.bytesIn >= after) {
      cutDone = true;
      req.pause();
      if (cut.kind === 'stall') return;
      req.socket.resetAndDestroy();
      reject(new Dropped('reset by a fault'));
    } else if (rate && !cutDone) {
      req.pause();
      setTimeout(() => req.resume(), (bytes / rate) * 1000).unref();
    }
  };
}
