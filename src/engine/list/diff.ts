/**
 * The three-way merge: combines the source listing, the destination listing and the manifest, each in key-byte order,
 * into one stream of keys. Uses constant memory and awaits nothing within a batch.
 * Tests: test/engine/list/ranges.test.ts
 */
import type { ManifestRow } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Side } from '../events.js';
import type { UnlistedKeys } from './unlisted.js';

/** One key, with its entry in each of the three. */
export interface Triple {
  key: string;
  source?: ObjectEntry;
  dest?: ObjectEntry;
  row?: ManifestRow;
  /** Nothing is known of the key at the source: it may be there. */
  sourceUnlisted?: true;
  /** The same at the destination. */
  destUnlisted?: true;
}

/** Filled by the streams, ahead of the merge. */
export type Unlisted = Readonly<Record<Side, Pick<UnlistedKeys, 'has'>>> & {
  /** What the destination does not list may be there: its listing is an inventory. */
  destIsOld?: boolean;
};

/** A position in a stream of batches. */
class Cursor<T extends { key: string }> {
  #batch: readonly T[] = [];
  #index = 0;
  #done: boolean;

  constructor(readonly stream: AsyncIterator<readonly T[]> | undefined) {
    this.#done = stream === undefined;
  }

  /** The entry at the position; undefined at the end, or when `due`. */
  get head(): T | undefined {
    return this.#batch[this.#index];
  }

  get due(): boolean {
    return !this.#done && this.#index >= this.#batch.length;
  }

  async fill(): Promise<void> {
    while (this.due && this.stream) {
      const { value, done } = await this.stream.next();
      if (done) this.#done = true;
      else [this.#batch, this.#index] = [value, 0];
    }
  }

  /** Returns the head and moves on if it has this key. */
  take(key: string): T | undefined {
    const head = this.head;
    if (head?.key !== key) return undefined;
    this.#index++;
    return head;
  }
}

const BATCH = 1000;

export async function* diff(
  source: AsyncIterator<readonly ObjectEntry[]>,
  dest: AsyncIterator<readonly ObjectEntry[]> | undefined,
  manifest: AsyncIterator<readonly ManifestRow[]>,
  unlisted?: Unlisted,
): AsyncGenerator<Triple[]> {
  const s = new Cursor(source);
  const d = new Cursor(dest);
  const m = new Cursor(manifest);
  let batch: Triple[] = [];
  for (;;) {
    if (s.due || d.due || m.due) {
      // Pass on what is complete before waiting for the next page.
      if (batch.length > 0) yield batch;
      batch = [];
      await Promise.all([s.fill(), d.fill(), m.fill()]);
    }
    const key = least(least(s.head?.key, d.head?.key), m.head?.key);
    if (key === undefined) break;
    const triple: Triple = { key, source: s.take(key), dest: d.take(key), row: m.take(key) };
    if (unlisted?.source.has(key)) triple.sourceUnlisted = true;
    if (unlisted?.destination.has(key) || (unlisted?.destIsOld && !triple.dest)) triple.destUnlisted = true;
    batch.push(triple);
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}
