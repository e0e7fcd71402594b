import { Bucket, type Surroundings } from './bucket.js';
import { Bytes } from './bytes.js';
import { ServiceError } from './errors.js';
import { type BucketOptions, MAIN_OWNER, type PutInput, type StoredObject, type StoredUpload } from './model.js';

/**
 * The buckets of one service, for setup and inspection without HTTP. Puts run the same code as requests, except for
 * signatures, limits and faults.
 */
export class Namespace {
  readonly #around: Surroundings;
  readonly #buckets = new Map<string, Bucket>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** @throws BucketAlreadyExists, BucketAlreadyOwnedByYou */
  createBucket(name: string, options: BucketOptions = {}): Bucket {
    const taken = this.#buckets.get(name);
    if (taken) throw new ServiceError(taken.owner === MAIN_OWNER ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists');
    const bucket = new Bucket(name, this.#around, options);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** @throws NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw new ServiceError('NoSuchBucket', { elements: { BucketName: name } });
    return bucket;
  }

  hasBucket(name: string): boolean {
    return this.#buckets.has(name);
  }

  buckets(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  deleteBucket(name: string): void {
    this.#buckets.delete(name);
  }

  /** Stores an object. `bytes` is shared, not copied: the caller must no longer change it. */
  put(bucket: string, key: string, bytes: Uint8Array | string, input: PutInput = {}): StoredObject {
    return this.bucket(bucket).put(key, Bytes.of(bytes), input);
  }

  /** The current object, or undefined. */
  get(bucket: string, key: string): StoredObject | undefined {
    return this.bucket(bucket).current(key);
  }

  /** The current object's bytes. @throws NoSuchKey */
  read(bucket: string, key: string): Buffer {
    return this.bucket(bucket).find(key).bytes.buffer();
  }

  /** The current objects in byte order. */
  list(bucket: string, prefix = ''): StoredObject[] {
    const found = this.bucket(bucket);
    const objects: StoredObject[] = [];
    for (const key of found.keys()) {
      const object = key.startsWith(prefix) ? found.current(key) : undefined;
      if (object) objects.push(object);
    }
    return objects;
  }

  delete(bucket: string, key: string, versionId?: string): void {
    this.bucket(bucket).delete(key, versionId);
  }

  /** Unfinished multipart uploads. */
  /** By key, and those of a key in the order in which they were begun. */
  uploads(bucket: string): StoredUpload[] {
    return [...this.bucket(bucket).uploads.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}

/** Both services' buckets; the same name can exist in each. */
export interface StorageCore {
  readonly s3: Namespace;
  readonly oss: Namespace;
}
