/**
 * The events of S3 and of compatible stores.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 * Tests: test/feed/body.test.ts
 */
import type { ChangeEvent } from './feed.js';
import { asEtag, asObject, asSize, asText, asTimeMs, compact, type JsonObject } from './json.js';
import { BodyFault, type Reading, wholeKey } from './reading.js';

/** Event names without MinIO's prefix `s3:`. Other events (restores, transitions) are ignored. */
const KINDS: readonly (readonly [RegExp, ChangeEvent['kind']])[] = [
  [/^ObjectCreated:/, 'created'],
  [/^Object(?:Tagging:|Acl:Put)/, 'created'],
  [/^ObjectRemoved:/, 'removed'],
  [/^LifecycleExpiration:/, 'removed'],
  // Ceph's names for changes by its lifecycle and replication.
  [/^ObjectLifecycle:Expiration:Current/, 'removed'],
  [/^ObjectSynced:Create/, 'created'],
  [/^ObjectSynced:Delet/, 'removed'],
];

const ATTRIBUTES = /^(?:s3:)?Object(?:Tagging:|Acl:Put)/;

function kindOf(name: string): ChangeEvent['kind'] | undefined {
  const bare = name.replace(/^s3:/, '');
  return KINDS.find(([pattern]) => pattern.test(bare))?.[1];
}

/** `Records` of S3 and MinIO, with URL-encoded keys, and of Ceph, with plain keys. */
export function readS3Records(records: readonly unknown[]): Reading {
  const events = records.map(readRecord).filter((event) => event !== undefined);
  return { events, ignored: records.length - events.length };
}

function readRecord(value: unknown): ChangeEvent | undefined {
  const record = asObject(value);
  const name = asText(record?.eventName);
  if (record === undefined || name === undefined) throw new BodyFault('has a record without an event name');
  const kind = kindOf(name);
  if (kind === undefined) return undefined;
  const s3 = asObject(record.s3);
  const key = asText(asObject(s3?.object)?.key);
  const attributes = ATTRIBUTES.test(name);
  if (record.eventSource !== 'ceph:s3') {
    return { ...eventOf(kind, s3, decodeKey(key), record.eventTime), ...(attributes && { attributes }) };
  }
  // Its sequencer is a little-endian time (radosgw 16.2), which cannot be compared as text.
  const { sequencer: _, ...event } = eventOf(kind, s3, key, record.eventTime);
  return { ...event, ...(attributes && { attributes }) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html */
const BRIDGED: Readonly<Record<string, [ChangeEvent['kind'], true?]>> = {
  'Object Created': ['created'],
  'Object Deleted': ['removed'],
  'Object Tags Added': ['created', true],
  'Object Tags Deleted': ['created', true],
  'Object ACL Updated': ['created', true],
};

/** One event through EventBridge, with a plain key. */
export function readS3EventBridge(body: JsonObject): Reading {
  const type = asText(body['detail-type']) ?? '';
  const [kind, attributes] = BRIDGED[type] ?? [];
  if (kind === undefined) return { events: [], ignored: 1 };
  const detail = asObject(body.detail);
  const key = asText(asObject(detail?.object)?.key);
  const event = { ...eventOf(kind, detail, key, body.time), ...(attributes && { attributes }) };
  return { events: [event], ignored: 0 };
}

function eventOf(kind: ChangeEvent['kind'], s3: JsonObject | undefined, key: unknown, time: unknown): ChangeEvent {
  const object = asObject(s3?.object) ?? {};
  return compact({
    bucket: asText(asObject(s3?.bucket)?.name),
    key: wholeKey(key),
    kind,
    sequencer: asText(object.sequencer),
    atMs: asTimeMs(time),
    size: asSize(object.size),
    etag: asEtag(object.eTag ?? object.etag),
    versionId: asText(object.versionId ?? object['version-id']),
  });
}

/** A key with an invalid escape was not encoded and is used verbatim. */
function decodeKey(encoded: string | undefined): string | undefined {
  try {
    return encoded && decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return encoded;
  }
}
