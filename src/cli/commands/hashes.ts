/** Hashes of objects: as the store vouches for them, or computed from the bytes. Tests: test/cli/listings.test.ts */
import { createHash } from 'node:crypto';
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ObjectStore } from '../../store/port.js';
import { pieces } from './reading.js';

/** Names as in rclone; `known`: where the store's checksums have it, as hex. */
const TYPES: Readonly<Record<string, { known?: (checksums: Checksums) => string | undefined }>> = {
  md5: { known: ({ md5 }) => md5 },
  sha1: { known: ({ sha1 }) => hexOf(sha1) },
  sha256: { known: ({ sha256 }) => hexOf(sha256) },
  sha512: {},
};

export const HASH_TYPES = Object.keys(TYPES);

function hexOf(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

/** `MD5` and `SHA-1` are accepted, too. @throws usage */
export function parseHashType(option: string, text: string): string {
  const name = text.toLowerCase().replace(/^(sha)-/, '$1');
  if (Object.hasOwn(TYPES, name)) return name;
  throw new XsyncError('usage', `${option}: "${text}" is not one of ${HASH_TYPES.join(', ')}`, { subject: option });
}

export class Hashes {
  readonly #store: ObjectStore;
  readonly #type: string;
  readonly #download: boolean;

  /** @param download read the bytes of every object; files on local disk are always read */
  constructor(store: ObjectStore, type: string, { download }: { download: boolean }) {
    this.#store = store;
    this.#type = type;
    this.#download = download || store.capabilities.local;
  }

  /** Hex; undefined if the store does not know it. Without `download`, at most one HEAD. */
  async of(entry: ObjectEntry): Promise<string | undefined> {
    if (entry.special !== undefined && this.#download) return undefined;
    if (this.#download) return this.#computed(entry);
    const { known } = TYPES[this.#type] ?? {};
    if (!known) return undefined;
    return known(entry.checksums ?? {}) ?? known((await this.#store.head(entry.key)).checksums);
  }

  async #computed({ key, etag, size: end }: ObjectEntry): Promise<string> {
    const hash = createHash(this.#type);
    for await (const piece of pieces(this.#store, key, { etag, start: 0, end })) hash.update(piece);
    return hash.digest('hex');
  }
}
