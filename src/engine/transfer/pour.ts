/**
 * Writes bytes of which nobody knows how many will come, such as standard input. Tests: test/cli/rcat.test.ts
 */
import { combineCrc64ecma } from '../../hash/combine.js';
import { crc64ecma, loadHashes, Md5Stream, md5OfMd5s, md5Soon } from '../../hash/index.js';
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { ObjectStore, UploadRef } from '../../store/port.js';
import { isOpen } from './standing.js';

export interface PourOptions {
  /** Bytes of the first parts. */
  partSize: number;
  storageClass?: string;
  signal: AbortSignal;
}

export interface Poured {
  /** Bytes. */
  size: number;
  /** 1: a single request. */
  parts: number;
}

const MIB = 1024 ** 2;
/** Parts in flight, as far as the memory lasts. */
const IN_FLIGHT = 4;
const MEMORY = 256 * MIB;
/** Steps in which parts grow until the last one of the store's numbers: an upload of 16 MiB parts can become 969 GiB. */
const STEPS = 5;

/**
 * Writes what `chunks` yields as one object: in one request if it fits into a part, else as a multipart upload, with at
 * most 256 MiB or one part in memory. The store checks every part by its MD5, and the whole is compared at the end.
 * Nothing is left behind when it fails, except an object that is found damaged after its completion.
 * @throws aborted, checksum-mismatch, object-too-large, and what the store and `chunks` throw
 */
export async function pour(
  store: ObjectStore,
  key: string,
  chunks: AsyncIterable<Uint8Array>,
  options: PourOptions,
): Promise<Poured> {
  store.checkKey(key);
  await loadHashes();
  const parts = cut(chunks, (number) => sizeOfPart(store, number, options.partSize), options.signal);
  const first = await parts.next();
  const body = first.value ?? new Uint8Array();
  const second = await parts.next();
  if (second.done) return putWhole(store, key, body, options);
  const { signal, storageClass } = options;
  const upload = await store.createUpload(key, { signal, storageClass });
  const pouring = new Pouring(store, upload, signal);
  try {
    for (const part of [body, second.value]) await pouring.send(part);
    for await (const part of parts) await pouring.send(part);
    return await pouring.complete();
  } catch (error) {
    // A part that arrives after the abort would stay at the store.
    await pouring.stop();
    await store.abortUpload(upload).catch(() => {
      // The first error is the one to report; cleanup finds the upload.
    });
    throw error;
  }
}

/** @throws object-too-large */
function sizeOfPart({ capabilities }: ObjectStore, number: number, first: number): number {
  const { maxParts, minPartSize, maxPartSize } = capabilities;
  if (number > maxParts) {
    throw new XsyncError('object-too-large', `the input does not fit into ${maxParts} parts`, {
      remedy: 'Set a larger --part-size.',
    });
  }
  const step = Math.floor(((number - 1) * STEPS) / maxParts);
  return Math.min(maxPartSize, Math.max(minPartSize, first) * 2 ** step);
}

/** Pieces of exactly the given sizes, and a last one that may be shorter. Sizes are numbered from 1. */
async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let number = 1;
  for await (const chunk of chunks) {
    if (signal.aborted) throw new XsyncError('aborted', 'the input was not read to its end');
    held.push(chunk);
    bytes += chunk.byteLength;
    while (bytes >= sizeOf(number)) {
      const whole = Buffer.concat(held);
      const size = sizeOf(number++);
      yield whole.subarray(0, size);
      held = [whole.subarray(size)];
      bytes -= size;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

async function putWhole(store: ObjectStore, key: string, body: Uint8Array, options: PourOptions): Promise<Poured> {
  const { signal, storageClass } = options;
  const contentMd5 = await md5Soon(body);
  const { checksums, etag } = await store.put(key, body, { signal, storageClass, contentMd5 });
  if (checksums.md5 !== undefined && checksums.md5 !== contentMd5) throw damaged(key);
  if (checksums.crc64ecma !== undefined && checksums.crc64ecma !== crc64ecma(body)) throw damaged(key);
  if (isDoubtful(checksums, contentMd5))
    await readBack(store, { key, size: body.byteLength, etag }, contentMd5, signal);
  return { size: body.byteLength, parts: 1 };
}

class Pouring {
  readonly #store: ObjectStore;
  readonly #upload: UploadRef;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #sent: { partNumber: number; etag: string; md5: string }[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #bytesInFlight = 0;
  /** The first part that failed. */
  #failed: { error: unknown } | undefined;
  readonly #whole = new Md5Stream();
  #size = 0;
  #crc = '0';
  #number = 0;

  constructor(store: ObjectStore, upload: UploadRef, signal: AbortSignal) {
    this.#store = store;
    this.#upload = upload;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Resolves when there is room for the next part. */
  async send(body: Uint8Array): Promise<void> {
    const number = ++this.#number;
    this.#size += body.byteLength;
    this.#whole.update(body);
    this.#crc = combineCrc64ecma(this.#crc, crc64ecma(body), body.byteLength);
    this.#bytesInFlight += body.byteLength;
    const sending = this.#sendPart(number, body)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#bytesInFlight -= body.byteLength;
        this.#inFlight.delete(sending);
      });
    this.#inFlight.add(sending);
    while (this.#inFlight.size >= IN_FLIGHT || (this.#inFlight.size > 0 && this.#bytesInFlight >= MEMORY)) {
      await Promise.race(this.#inFlight);
    }
    if (this.#failed) throw this.#failed.error;
  }

  /** Ends the parts in flight: the object cannot become whole. */
  #fail(error: unknown): void {
    this.#failed ??= { error };
    this.#stop.abort();
  }

  /** Resolves when no part is in flight any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#inFlight);
  }

  async #sendPart(partNumber: number, body: Uint8Array): Promise<void> {
    const { key } = this.#upload;
    const contentMd5 = await md5Soon(body);
    const sent = await this.#store.uploadPart(this.#upload, partNumber, body, { signal: this.#signal, contentMd5 });
    const { md5, crc64ecma: crc } = sent.checksums;
    if (md5 !== undefined && md5 !== contentMd5) throw damaged(key);
    if (crc !== undefined && crc !== crc64ecma(body)) throw damaged(key);
    this.#sent.push({ partNumber, etag: sent.etag, md5: contentMd5 });
  }

  async complete(): Promise<Poured> {
    await Promise.all(this.#inFlight);
    if (this.#failed) throw this.#failed.error;
    const parts = this.#sent.sort((a, b) => a.partNumber - b.partNumber);
    const { key } = this.#upload;
    const composite = md5OfMd5s(parts.map(({ md5 }) => md5));
    try {
      await this.#store.completeUpload(this.#upload, parts, { signal: this.#signal });
    } catch (error) {
      // The answer of a completion that succeeded may have been lost.
      const there = await this.#store.head(key).catch(() => undefined);
      const proven = there && (there.checksums.crc64ecma === this.#crc || there.etag.toLowerCase() === composite);
      // An older object may have the same bytes.
      if (!proven || (await isOpen(this.#store, this.#upload, this.#signal))) throw error;
    }
    const info = await this.#store.head(key, { signal: this.#signal });
    this.#compare(info, composite);
    if (isDoubtful(info.checksums, composite)) {
      await readBack(this.#store, info, this.#whole.digest(), this.#signal);
    }
    return { size: this.#size, parts: parts.length };
  }

  /** @throws checksum-mismatch */
  #compare({ key, size, checksums }: ObjectInfo, composite: string): void {
    const { crc64ecma: crc, md5ofParts } = checksums;
    if (size !== this.#size || (crc ?? this.#crc) !== this.#crc || (md5ofParts ?? composite) !== composite) {
      throw damaged(key);
    }
  }
}

/** The ETag has the form of this checksum, from a store that does not promise that it is one, and differs. */
function isDoubtful({ etagHint }: Checksums, expected: string): boolean {
  return etagHint !== undefined && etagHint !== expected;
}

const PIECE = 8 * MIB;

/** @throws checksum-mismatch */
async function readBack(
  store: ObjectStore,
  { key, size, etag }: Pick<ObjectInfo, 'key' | 'size' | 'etag'>,
  md5: string,
  signal: AbortSignal,
): Promise<void> {
  const stream = new Md5Stream();
  for (let offset = 0; offset < size; offset += PIECE) {
    const target = new Uint8Array(Math.min(PIECE, size - offset));
    await store.read(key, target, { offset, ifMatch: etag, signal });
    stream.update(target);
  }
  if (stream.digest() !== md5) throw damaged(key);
}

function damaged(key: string): XsyncError {
  return new XsyncError('checksum-mismatch', `${key}: the bytes that arrived are not those that were sent`, {
    subject: key,
    remedy: 'Run the command again.',
  });
}
