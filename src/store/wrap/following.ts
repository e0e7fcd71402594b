/**
 * A store whose links are what they point to, where a listing says nothing of that: one request for each link.
 * Tests: test/store/wrap/following.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import type * as port from '../port.js';
import { InterceptedStore } from './intercept.js';

/** Requests in flight for the links of one page. */
const AT_ONCE = 16;

export class FollowingStore extends InterceptedStore {
  readonly #failing: boolean;

  /** @param failing links that lead nowhere have a fault; otherwise they are left out */
  constructor(inner: port.ObjectStore, failing: boolean) {
    super(inner, (call, run) => run(call.pace));
    this.#failing = failing;
  }

  override async list(options: port.ListOptions): Promise<port.ListPage> {
    const page = await this.inner.list(options);
    if (!page.entries.some(isLink)) return page;
    const { signal, onRequest } = options;
    const entries = [...page.entries];
    const links = [...entries.entries()].filter(([, entry]) => isLink(entry));
    const work = async (): Promise<void> => {
      for (let next = links.pop(); next; next = links.pop()) {
        const [index, entry] = next;
        const found = await this.#target(entry, { versionId: entry.versionId, signal, onRequest });
        if (found) entries[index] = found;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    // One that was deleted since it was listed is left as a link, and so left out.
    return { ...page, entries };
  }

  override async head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    return plain(await this.#look(key, options));
  }

  /** Undefined for a link that is gone. */
  async #target(entry: ObjectEntry, options: port.HeadOptions): Promise<ObjectEntry | undefined> {
    try {
      const { headers: _headers, metadata: _metadata, ...found } = plain(await this.#look(entry.key, options));
      return { ...found, ...(entry.versionId !== undefined && { versionId: entry.versionId }) };
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) return undefined;
      if (!isXsyncError(error, 'unsupported-object')) throw error;
      return this.#failing ? { ...entry, fault: error } : { ...entry, kind: 'symbolic link that leads to no object' };
    }
  }

  /** A read follows links, also one of no bytes. */
  #look(key: string, options: port.HeadOptions): Promise<ObjectInfo> {
    return this.inner.read(key, new Uint8Array(0), options);
  }
}

function isLink({ special }: ObjectEntry): boolean {
  return special === 'symlink';
}

/** What is read in place of the link: an archived target is archived. */
function plain({ special, ...info }: ObjectInfo): ObjectInfo {
  if (special !== 'symlink') return special === undefined ? info : { ...info, special };
  const archived = info.archive === 'frozen' || info.archive === 'restoring';
  return { ...info, followed: true, ...(archived && { special: 'archived' }) };
}
