/**
 * A view of a bucket in which each key stands for one of its versions: every call about an object that does not name a
 * version is about that one.
 * Tests: test/store/wrap/past.test.ts
 */
import type { Tags } from '../../model/attributes.js';
import type { ObjectInfo } from '../../model/object.js';
import type * as port from '../port.js';
import { InterceptedStore } from './intercept.js';

export abstract class AtVersions extends InterceptedStore {
  constructor(inner: port.ObjectStore) {
    super(inner, (call, run) => run(call.pace));
  }

  /** Undefined: the current version. @throws object-not-found: the view does not have the key */
  protected abstract versionAt(key: string, options: port.CallOptions): Promise<string | undefined>;

  override async head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    return this.inner.head(key, { ...options, versionId: options.versionId ?? (await this.versionAt(key, options)) });
  }

  override async firstPartSize(key: string, options: port.PinOptions = {}): Promise<number | undefined> {
    const versionId = options.versionId ?? (await this.versionAt(key, options));
    return this.inner.firstPartSize(key, { ...options, versionId });
  }

  override async read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    const versionId = options.versionId ?? (await this.versionAt(key, options));
    return this.inner.read(key, target, { ...options, versionId });
  }

  override get readPieces(): port.ObjectStore['readPieces'] {
    const read = this.inner.readPieces?.bind(this.inner);
    if (!read) return undefined;
    return async (key, sink, options = {}) => {
      const versionId = options.versionId ?? (await this.versionAt(key, options));
      return read(key, sink, { ...options, versionId });
    };
  }

  override async getTags(key: string, options: port.HeadOptions = {}): Promise<Tags> {
    return this.inner.getTags(key, {
      ...options,
      versionId: options.versionId ?? (await this.versionAt(key, options)),
    });
  }

  override get getLink(): port.ObjectStore['getLink'] {
    const get = this.inner.getLink?.bind(this.inner);
    if (!get) return undefined;
    return async (key, options = {}) => {
      const versionId = options.versionId ?? (await this.versionAt(key, options));
      return get(key, { ...options, versionId });
    };
  }

  override async getAcl(key: string, options: port.HeadOptions = {}): Promise<string> {
    return this.inner.getAcl(key, {
      ...options,
      versionId: options.versionId ?? (await this.versionAt(key, options)),
    });
  }

  override async restore(key: string, options: port.RestoreOptions): Promise<port.Restored> {
    return this.inner.restore(key, {
      ...options,
      versionId: options.versionId ?? (await this.versionAt(key, options)),
    });
  }

  /** A URL would lead to the current version. */
  override get signedUrl(): undefined {
    return undefined;
  }
}

/** The versions that a list names. @param versionOf undefined for keys of which it names none */
export class ListedVersions extends AtVersions {
  readonly #versionOf: (key: string) => string | undefined;

  constructor(inner: port.ObjectStore, versionOf: (key: string) => string | undefined) {
    super(inner);
    this.#versionOf = versionOf;
  }

  protected async versionAt(key: string): Promise<string | undefined> {
    return this.#versionOf(key);
  }

  /** The current version is read as it is when its turn comes. */
  override async head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    const info = await super.head(key, options);
    if (options.versionId !== undefined || this.#versionOf(key) !== undefined) return info;
    const { versionId: _, ...current } = info;
    return current;
  }
}
