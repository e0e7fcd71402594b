/** The request and response of DeleteObjects. */
import { readXml } from '../http/xml.js';
import type { DeleteFailure } from '../port.js';
import { escapeXml } from './encode.js';
import { itemError } from './errors.js';

const SHAPE = { root: 'DeleteResult', fields: [], lists: { Error: ['Key', 'Code', 'Message'] } } as const;

/** Quiet mode: the response lists failures only. */
export function deleteBody(keys: readonly string[]): string {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
}

/** The keys that were not deleted. A missing key is not a failure. */
export function readDeleteFailures(body: Buffer): DeleteFailure[] {
  const { Error: errors } = readXml(body, SHAPE).lists;
  return errors
    .filter(({ Code }) => Code !== 'NoSuchKey')
    .map(({ Key = '', Code, Message }) => ({ key: Key, error: itemError(Key, Code, Message) }));
}
