/**
 * Symbolic links of OSS, for both OSS stores (PutSymlink, GetSymlink, HeadObject in the OSS developer reference):
 * - A link is an object of its own, which leads to a key of its bucket. Nobody checks whether there is something.
 * - GET and HEAD have the bytes, ETag, size, class and Content-MD5 of the target, and the later of both times. All other
 *   headers are the link's. They fail where there is no target (SymlinkTargetNotExist), and for a link to a link
 *   (InvalidTargetType).
 * - Listings and GetSymlink have the link's own ETag and time. The response to PutSymlink has neither.
 * - A copy by the service copies the link.
 * Tests: test/contract/stores.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Link, LinkOptions } from '../port.js';
import { readInfo } from './answers.js';
import { escapePath } from './encode.js';
import { checkKey } from './key.js';
import { objectHeaders } from './metadata.js';

type Headers = Record<string, string>;

const TARGET = 'x-oss-symlink-target';

/** @throws key-not-representable */
export function linkHeaders(key: string, target: string, { headers, metadata, tags, acl }: LinkOptions): Headers {
  checkKey(target);
  return { ...objectHeaders(key, { headers, metadata, tags, acl }), [TARGET]: escapePath(target) };
}

/** Of a response to GetSymlink. */
export function readLink(key: string, headers: Headers): Link {
  const target = decode(headers[TARGET] ?? '');
  if (!target)
    throw new XsyncError('invalid-response', `${key}: the response of OSS has no valid target`, { subject: key });
  const info = readInfo(key, { ...headers, 'content-length': '0', 'x-oss-object-type': 'Symlink' });
  return { target, info: { ...info, checksums: {} } };
}

/** Undefined for a text that is not UTF-8. Unlike in a listing, a plus is a plus. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/**
 * What stands under a key, where a HEAD may have followed a link.
 * @param described by a HEAD
 */
export async function ownInfo(described: Promise<ObjectInfo>, getLink: () => Promise<Link>): Promise<ObjectInfo> {
  try {
    const info = await described;
    return info.special === 'symlink' ? (await getLink()).info : info;
  } catch (error) {
    if (!isXsyncError(error, 'unsupported-object')) throw error;
    return (await getLink()).info;
  }
}
