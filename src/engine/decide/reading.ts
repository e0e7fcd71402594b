/**
 * Reads local sides to compare them with a checksum: that costs no request.
 * Tests: test/engine/decide/believed.test.ts
 */
import { combineCrc64ecma } from '../../hash/combine.js';
import { crc64ecma, loadHashes, Md5Stream } from '../../hash/index.js';
import { type Agreement, type Checksums, compositeEtag, sameChecksum } from '../../model/checksum.js';
import type { Content } from '../../model/content.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ObjectBytes, ObjectStore } from '../../store/port.js';
import type { MemoryBudget } from '../flow/budget.js';

export interface ReadingContext {
  source: ObjectStore;
  dest: ObjectStore;
  budget: MemoryBudget;
  signal: AbortSignal;
}

/** One object as each side has it, with full keys. */
export interface Both {
  source: ObjectEntry;
  dest: ObjectEntry;
}

type SideName = keyof Both;

const READ_SIZE = 8 * 1024 * 1024;

/**
 * Reads the object in blocks and computes its MD5 and CRC-64.
 * @param partSize bytes; also computes the MD5 of the MD5s of such parts
 */
export async function checksumsOf(
  context: Pick<ReadingContext, 'budget' | 'signal'>,
  store: ObjectBytes,
  info: Pick<ObjectEntry, 'key' | 'size' | 'etag'>,
  partSize?: number,
): Promise<Checksums> {
  await loadHashes();
  const md5 = new Md5Stream();
  const ofParts = partSize === undefined ? undefined : new Md5Stream(partSize);
  let crc = '0';
  for (let offset = 0; offset < info.size; offset += READ_SIZE) {
    const lease = await context.budget.lease(Math.min(READ_SIZE, info.size - offset));
    try {
      await store.read(info.key, lease.bytes, { offset, ifMatch: info.etag, signal: context.signal });
      md5.update(lease.bytes);
      ofParts?.update(lease.bytes);
      crc = combineCrc64ecma(crc, crc64ecma(lease.bytes), lease.bytes.byteLength);
    } finally {
      lease.release();
    }
  }
  const sums: Checksums = { md5: md5.digest(), crc64ecma: crc };
  if (ofParts) sums.md5ofParts = ofParts.digest();
  return sums;
}

/** Reads both sides whole. */
export async function agreeWhenRead(
  { source, dest, ...context }: ReadingContext,
  { source: one, dest: other }: Both,
): Promise<boolean> {
  const { md5 } = await checksumsOf(context, source, one);
  return (await checksumsOf(context, dest, other)).md5 === md5;
}

/** Compares one object by checksums, and reads each version of a local side at most once for it. */
export class LocalReader {
  readonly #context: ReadingContext;
  readonly #read = new Map<string, Promise<Checksums>>();

  constructor(context: ReadingContext) {
    this.#context = context;
  }

  /** Whether a common checksum agrees; undefined when there is none. */
  async agree({ source, dest }: Both): Promise<Agreement> {
    const [a, b] = [source.checksums ?? {}, dest.checksums ?? {}];
    const same = sameChecksum(a, b);
    const { source: from, dest: to } = this.#context;
    if (same !== undefined || !(from.capabilities.local || to.capabilities.local)) return same;
    if (from.capabilities.local && to.capabilities.local) {
      return sameChecksum(await this.#checksums('source', source), await this.#checksums('dest', dest));
    }
    return from.capabilities.local ? this.#agreeWith('source', source, dest) : this.#agreeWith('dest', dest, source);
  }

  /** Whether every local side has the bytes of an earlier copy. */
  async hasContent(both: Both, content: Content): Promise<boolean> {
    const partSize = content.name === 'md5ofParts' ? content.partSize : undefined;
    for (const name of ['source', 'dest'] as const) {
      if (!this.#context[name].capabilities.local) continue;
      const sums = await this.#checksums(name, both[name], partSize);
      if (sums[content.name] !== content.value) return false;
    }
    return true;
  }

  /** Compares a local file with a remote object, whose composite ETag needs the size of its parts: one HEAD. */
  async #agreeWith(name: SideName, file: ObjectEntry, remote: ObjectEntry): Promise<Agreement> {
    const theirs = remote.checksums ?? {};
    const { md5, crc64ecma, etagHint } = theirs;
    const composite = compositeEtag(theirs);
    if (composite === undefined || crc64ecma !== undefined) {
      const readable = md5 ?? crc64ecma ?? etagHint;
      return readable === undefined ? undefined : sameChecksum(await this.#checksums(name, file), theirs);
    }
    const store = this.#context[name === 'source' ? 'dest' : 'source'];
    const partSize = await store.firstPartSize(remote.key, { ifMatch: remote.etag, signal: this.#context.signal });
    if (partSize === undefined) return undefined;
    const same = (await this.#checksums(name, file, partSize)).md5ofParts === composite;
    return same || (theirs.md5ofParts === undefined ? undefined : false);
  }

  #checksums(name: SideName, entry: ObjectEntry, partSize?: number): Promise<Checksums> {
    const version = JSON.stringify([name, entry.etag, partSize]);
    const read = this.#read.get(version) ?? checksumsOf(this.#context, this.#context[name], entry, partSize);
    this.#read.set(version, read);
    return read;
  }
}
