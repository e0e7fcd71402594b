/** Tests: test/engine/fan/source.test.ts */
import type { ObjectInfo } from '../../model/object.js';
import type { Capabilities, ObjectStore, ReadOptions } from '../../store/port.js';
import { InterceptedStore } from '../../store/wrap/intercept.js';
import type { SharedReads, Wanting } from './reads.js';

/** A store of which several runs read the same bytes. */
export class FannedStore extends InterceptedStore {
  readonly #reader: Wanting & { isAlone: boolean };
  readonly #reads: SharedReads;

  constructor(inner: ObjectStore, reader: Wanting & { isAlone: boolean }, reads: SharedReads) {
    super(inner, (call, run) => run(call.pace));
    this.#reader = reader;
    this.#reads = reads;
  }

  /** What is read once for several runs would be read again by each. */
  override get capabilities(): Capabilities {
    const { capabilities } = this.inner;
    return { ...capabilities, readsInCommon: true, readsAgain: this.#reader.isAlone && capabilities.readsAgain };
  }

  override read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    return this.#reads.read(this.#reader, { key, target, options }, () => this.inner.read(key, target, options));
  }

  /** Its pace would be that of the destination, and the others would wait for that. */
  override get readPieces(): ObjectStore['readPieces'] {
    return this.#reader.isAlone ? this.inner.readPieces?.bind(this.inner) : undefined;
  }
}
