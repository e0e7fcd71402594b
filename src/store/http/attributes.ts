/** Tags and locks as S3 and OSS write them in headers and documents. Tests: test/store/http/attributes.test.ts */
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { readXml } from './xml.js';

/** `a=1&b=2`, encoded as a query: the value of a tagging header. */
export function taggingText(tags: Tags): string {
  return tags.map(({ key, value }) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&');
}

/** The body of PutObjectTagging. @param escaped text for XML */
export function taggingBody(tags: Tags, escaped: (text: string) => string): string {
  const all = tags.map(({ key, value }) => `<Tag><Key>${escaped(key)}</Key><Value>${escaped(value)}</Value></Tag>`);
  return `<Tagging><TagSet>${all.join('')}</TagSet></Tagging>`;
}

/** @param body empty from Ceph, if the object has no tags */
export function readTags(body: Buffer): Tags {
  if (body.length === 0) return [];
  const { lists } = readXml(body, {
    root: 'Tagging',
    fields: [],
    lists: { Tag: ['Key', 'Value'] },
    inside: ['TagSet'],
  });
  return lists.Tag.map(({ Key: key = '', Value: value = '' }) => ({ key, value }));
}

/** From the headers of a response. Undefined: no lock. */
export function lockOf(mode?: string, until?: string, hold?: string): ObjectLock | undefined {
  const lock: ObjectLock = {};
  const untilMs = Date.parse(until ?? '');
  if ((mode === 'GOVERNANCE' || mode === 'COMPLIANCE') && !Number.isNaN(untilMs))
    Object.assign(lock, { mode, untilMs });
  if (hold === 'ON') lock.legalHold = true;
  return lock.mode === undefined && !lock.legalHold ? undefined : lock;
}
