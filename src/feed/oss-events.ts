/**
 * The events of Alibaba Cloud OSS: `events` through MNS (SMQ) and Function Compute, CloudEvents through EventBridge.
 * https://help.aliyun.com/document_detail/70140.html (format)
 * https://help.aliyun.com/document_detail/205739.html (names)
 * Keys are not encoded: the vendor's own readers use them without decoding. There is no sequencer.
 * Tests: test/feed/body.test.ts
 */
import type { ChangeEvent } from './feed.js';
import { asEtag, asObject, asSize, asText, asTimeMs, compact, type JsonObject } from './json.js';
import { BodyFault, type Reading, wholeKey } from './reading.js';

/** Steps of a multipart upload, which create or remove no object. */
const NO_CHANGE = /^Object(Created:(InitiateMultipartUpload|UploadPart|UploadPartCopy)|Removed:AbortMultipartUpload)$/;

function kindOf(name: string): ChangeEvent['kind'] | undefined {
  const bare = name.replace(/^oss:/, '');
  if (NO_CHANGE.test(bare)) return undefined;
  if (/^ObjectCreated:|^ObjectReplication:Object(Created|Modified)$/.test(bare)) return 'created';
  if (/^ObjectRemoved:|^ObjectReplication:ObjectRemoved$/.test(bare)) return 'removed';
  return undefined;
}

export function readOssEvents(values: readonly unknown[]): Reading {
  const events = values.map((value) => readEvent(asObject(value))).filter((event) => event !== undefined);
  return { events, ignored: values.length - events.length };
}

/** Its `data` has the form of the other events. */
export function readOssCloudEvent(body: JsonObject): Reading {
  const event = readEvent({ eventName: body.type, eventTime: body.time, ...asObject(body.data) });
  return event ? { events: [event], ignored: 0 } : { events: [], ignored: 1 };
}

function readEvent(event: JsonObject | undefined): ChangeEvent | undefined {
  const name = asText(event?.eventName);
  if (event === undefined || name === undefined) throw new BodyFault('has an event without a name');
  const kind = kindOf(name);
  if (kind === undefined) return undefined;
  const oss = asObject(event.oss);
  const object = asObject(oss?.object) ?? {};
  return compact({
    bucket: asText(asObject(oss?.bucket)?.name),
    key: wholeKey(object.key),
    kind,
    atMs: asTimeMs(event.eventTime),
    size: asSize(object.size),
    etag: asEtag(object.eTag),
    versionId: asText(object.versionId),
  });
}
