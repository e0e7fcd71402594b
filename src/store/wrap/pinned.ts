/** Tests: test/store/wrap/past.test.ts */
import type { Tags } from '../../model/attributes.js';
import type { ObjectInfo } from '../../model/object.js';
import type * as port from '../port.js';
import { InterceptedStore } from './intercept.js';

/** A store whose reads are those of one version. */
export function pinned(store: port.ObjectStore, versionId: string): port.ObjectStore {
  return new PinnedStore(store, versionId);
}

class PinnedStore extends InterceptedStore {
  readonly #versionId: string;

  constructor(inner: port.ObjectStore, versionId: string) {
    super(inner, (call, run) => run(call.pace));
    this.#versionId = versionId;
  }

  override head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    return this.inner.head(key, { ...options, versionId: this.#versionId });
  }

  override firstPartSize(key: string, options: port.PinOptions = {}): Promise<number | undefined> {
    return this.inner.firstPartSize(key, { ...options, versionId: this.#versionId });
  }

  override read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    return this.inner.read(key, target, { ...options, versionId: this.#versionId });
  }

  override get readPieces(): port.ObjectStore['readPieces'] {
    const read = this.inner.readPieces?.bind(this.inner);
    return read && ((key, sink, options = {}) => read(key, sink, { ...options, versionId: this.#versionId }));
  }

  override getTags(key: string, options: port.HeadOptions = {}): Promise<Tags> {
    return this.inner.getTags(key, { ...options, versionId: this.#versionId });
  }

  override get getLink(): port.ObjectStore['getLink'] {
    const get = this.inner.getLink?.bind(this.inner);
    return get && ((key, options = {}) => get(key, { ...options, versionId: this.#versionId }));
  }

  override getAcl(key: string, options: port.HeadOptions = {}): Promise<string> {
    return this.inner.getAcl(key, { ...options, versionId: this.#versionId });
  }
}
