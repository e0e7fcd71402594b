import type { Bytes } from './bytes.js';
import { ServiceError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { StoredObject } from './model.js';

/**
 * Evaluates If-Match and the other conditions in the order of RFC 9110 section 13.2.2. With `copySource`, the vendor's
 * copy-source headers are read instead, and every failure is PreconditionFailed.
 * @throws PreconditionFailed, NotModified
 */
export function checkConditions(exchange: Exchange, object: StoredObject, copySource = false): void {
  const read = (name: string) => (copySource ? exchange.vendor(`copy-source-${name}`) : exchange.header(name));
  const changedMs = Math.floor(object.lastModifiedMs / 1000) * 1000;
  const failed = (condition: string) => new ServiceError('PreconditionFailed', { elements: { Condition: condition } });
  const ifMatch = read('if-match');
  if (ifMatch !== undefined) {
    if (!lists(exchange, ifMatch, object.etag)) throw failed('If-Match');
  } else {
    const since = Date.parse(read('if-unmodified-since') ?? '');
    if (!Number.isNaN(since) && changedMs > since) throw failed('If-Unmodified-Since');
  }
  const notModified = (condition: string) =>
    copySource ? failed(condition) : new ServiceError('NotModified', { headers: { etag: `"${object.etag}"` } });
  const ifNoneMatch = read('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (lists(exchange, ifNoneMatch, object.etag)) throw notModified('If-None-Match');
    return;
  }
  const since = Date.parse(read('if-modified-since') ?? '');
  if (!Number.isNaN(since) && changedMs <= since) throw notModified('If-Modified-Since');
}

/**
 * Whether a list of entity tags contains this one. Both services accept tags with and without quotes. S3 compares them
 * byte for byte.
 */
function lists({ protocol }: Exchange, header: string, etag: string): boolean {
  const same = protocol === 's3' ? (tag: string) => tag === etag : (tag: string) => tag.toUpperCase() === etag;
  return header
    .split(',')
    .map((tag) => tag.trim().replaceAll('"', ''))
    .some((tag) => tag === '*' || same(tag));
}

export interface ByteRange {
  offset: number;
  length: number;
}

/**
 * A single `bytes=` range. Undefined when absent or of an unknown form: both services then send the whole object.
 * @throws InvalidRange when it starts beyond the end (S3)
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const unsatisfiable = new ServiceError('InvalidRange', {
    elements: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  });
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    if (length === 0) throw unsatisfiable;
    return { offset: size - length, length };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < first) return undefined;
  if (first >= size) throw unsatisfiable;
  return { offset: first, length: last - first + 1 };
}

/** Unlike Range, a copy range must have both ends and be within the source. */
export function copyRange(header: string | undefined, object: StoredObject): Bytes {
  if (header === undefined) return object.bytes;
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (!match || first > last) {
    throw new ServiceError('InvalidArgument', {
      message: 'The copy-source-range value must be of the form bytes=first-last',
    });
  }
  if (last >= object.bytes.size) {
    throw new ServiceError('InvalidRange', {
      status: 400,
      message: `Range specified is not valid for source object of size: ${object.bytes.size}`,
    });
  }
  return object.bytes.slice(first, last - first + 1);
}
