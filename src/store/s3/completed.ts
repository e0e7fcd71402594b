/** A completion whose response does not describe the object: a HEAD does, and it may show an older one. */
import { md5OfMd5s } from '../../hash/index.js';
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectEntry } from '../../model/object.js';
import type { CompleteOptions } from '../port.js';

const MD5 = /^[0-9a-f]{32}$/i;

/**
 * Compares what a HEAD shows with what was completed, its ETag as far as that says anything.
 * @throws server-error: it is another object
 */
export function mustBeCompleted(
  { key, size, etag }: ObjectEntry,
  parts: readonly { etag: string }[],
  planned: Pick<CompleteOptions, 'size' | 'previous'>,
): void {
  if (size === (planned.size ?? size) && mayBeOf(etag, parts, planned.previous)) return;
  throw new XsyncError('server-error', `${key}: the store confirmed the upload, and holds another object`, {
    subject: key,
  });
}

function mayBeOf(etag: string, parts: readonly { etag: string }[], previous: string | undefined): boolean {
  const etags = parts.map((part) => part.etag.toLowerCase());
  if (etags.every((each) => MD5.test(each)) && sameEtag(etag, md5OfMd5s(etags))) return true;
  const count = /-(\d+)$/.exec(etag)?.[1];
  if (count !== undefined && Number(count) !== parts.length) return false;
  return previous === undefined || !sameEtag(etag, previous);
}
