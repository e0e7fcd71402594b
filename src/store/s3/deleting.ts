/** The request and response of DeleteObjects. */
import { readXml } from '../http/xml.js';
import type { DeleteFailure } from '../port.js';
import { escapeXml } from './encode.js';
import { itemError } from './errors.js';

const SHAPE = { root: 'DeleteResult', fields: [], lists: { Error: ['Key', 'Code', 'Message'] } } as const;

/** Quiet mode: the response lists failures only. A key with an ETag is deleted only if that is its version. */
export function deleteBody(keys: readonly string[], etags: ReadonlyMap<string, string> | undefined): string {
  const objects = keys
    .map((key) => `<Object><Key>${escapeXml(key)}</Key>${etagElement(etags?.get(key))}</Object>`)
    .join('');
  return `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
}

function etagElement(etag: string | undefined): string {
  return etag === undefined ? '' : `<ETag>${escapeXml(`"${etag}"`)}</ETag>`;
}

/** The keys that were not deleted. A missing key is not a failure. */
export function readDeleteFailures(body: Buffer): DeleteFailure[] {
  const { Error: errors } = readXml(body, SHAPE).lists;
  return errors
    .filter(({ Code }) => Code !== 'NoSuchKey')
    .map(({ Key = '', Code, Message }) => ({ key: Key, error: itemError(Key, Code, Message) }));
}
