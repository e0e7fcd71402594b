/** Reads what an object has besides its bytes, at the end that may. Tests: test/bridge/push/attributes.test.ts */
import { createHash } from 'node:crypto';
import type { Tags } from '../../model/attributes.js';
import { isXsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { ObjectCatalog } from '../../store/port.js';
import type { GivenAttributes } from '../ticket.js';

export type AttributeStore = Pick<ObjectCatalog, 'head' | 'getTags' | 'getAcl'>;

/** What takes a request of its own, and is read only if it is asked for. */
export interface Reading {
  tags: boolean;
  acl: boolean;
}

/** Objects that are asked about at once. */
const AT_ONCE = 16;

/**
 * Tags and ACL; without those that must not be read, which the other end reports as lost.
 * @throws object-not-found, …
 */
export async function readFurther(
  store: AttributeStore,
  key: string,
  { tags, acl }: Reading,
  versionId?: string,
): Promise<{ tags?: Tags; acl?: string }> {
  const options = versionId === undefined ? {} : { versionId };
  const [its, rights] = await Promise.all([
    tags ? unlessForbidden(store.getTags(key, options)) : undefined,
    acl ? unlessForbidden(store.getAcl(key, options)) : undefined,
  ]);
  return { ...(its && { tags: its }), ...(rights !== undefined && { acl: rights }) };
}

/** Of an object whose bytes stay: also what would come with them. */
export function infoOf({ headers, metadata, storageClass, redirect, tagCount, lock }: ObjectInfo) {
  return { headers, metadata, storageClass, redirect, tagCount, lock } satisfies GivenAttributes['info'];
}

/**
 * Tells whether attributes have changed; for each key, undefined if the object is gone. One HEAD each, and what `reading`
 * costs. The storage class does not count, because rules of the bucket change it.
 */
export async function digestsOf(
  store: AttributeStore,
  keys: readonly string[],
  reading: Reading,
): Promise<(string | undefined)[]> {
  const digests: (string | undefined)[] = [];
  const left = keys.entries();
  const work = async (): Promise<void> => {
    for (const [at, key] of left) digests[at] = await digestOf(store, key, reading);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return digests;
}

async function digestOf(store: AttributeStore, key: string, reading: Reading): Promise<string | undefined> {
  try {
    const { headers, metadata, redirect, lock } = await store.head(key);
    const further = await readFurther(store, key, reading);
    const all = [sorted(headers), sorted(metadata), redirect, lock, further.acl, further.tags?.map(sorted)];
    return createHash('sha256').update(JSON.stringify(all)).digest('base64url');
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw error;
  }
}

function sorted(fields: object): [string, unknown][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

async function unlessForbidden<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isXsyncError(error, 'access-denied', 'unsupported')) return undefined;
    throw error;
  }
}
