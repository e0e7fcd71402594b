/**
 * The three-way merge: source listing, destination listing and manifest, each in key-byte order, become one stream of
 * keys with what each says. Constant memory; inside a batch nothing is awaited.
 */
import type { ManifestRow } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';

/** One key, and what each of the three says of it. */
export interface Triple {
  key: string;
  source?: ObjectEntry;
  dest?: ObjectEntry;
  row?: ManifestRow;
}

/** A position in a stream of batches. */
class Cursor<T extends { key: string }> {
  #batch: readonly T[] = [];
  #index = 0;
  #done: boolean;

  constructor(readonly stream: AsyncIterator<readonly T[]> | undefined) {
    this.#done = stream === undefined;
  }

  /** The entry at the position; undefined at the end, or when `fill` is due. */
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

  /** Moves on if the head has this key, and returns it then. */
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
): AsyncGenerator<Triple[]> {
  const s = new Cursor(source);
  const d = new Cursor(dest);
  const m = new Cursor(manifest);
  let batch: Triple[] = [];
  for (;;) {
    if (s.due || d.due || m.due) {
      // What is known goes on its way before the next page is waited for.
      if (batch.length > 0) yield batch;
      batch = [];
      await Promise.all([s.fill(), d.fill(), m.fill()]);
    }
    const key = least(least(s.head?.key, d.head?.key), m.head?.key);
    if (key === undefined) break;
    batch.push({ key, source: s.take(key), dest: d.take(key), row: m.take(key) });
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
