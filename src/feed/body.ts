import type { ChangeEvent } from './feed.js';
import { asEtag, asObject, asSize, asText, asTimeMs, compact, type JsonObject } from './json.js';
import { readOssCloudEvent, readOssEvents } from './oss-events.js';
import { BodyFault, type Reading, wholeKey } from './reading.js';
import { readS3EventBridge, readS3Records } from './s3-events.js';

/** Maximum nesting of envelopes; S3 through SNS and SQS has two. */
const MAX_DEPTH = 4;

/**
 * Reads the body of a notification of S3, EventBridge, SNS, MinIO, Ceph or Alibaba OSS, alone, in a list, or in an
 * envelope of SNS or MNS.
 * @throws BodyFault
 */
export function readBody(text: string): Reading {
  return readText(text, 0);
}

/** As `readBody`, of JSON that has been parsed. @throws BodyFault */
export function readEvent(value: unknown): Reading {
  return readValue(value, 0);
}

function readText(text: string, depth: number): Reading {
  return readValue(parse(text), depth);
}

/** Parses JSON, or the Base64 of JSON that OSS sends to MNS. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const decoded = fromBase64(text);
    if (decoded !== undefined) return decoded;
    if (/^\s*<(\?xml|Notification)/.test(text)) {
      throw new BodyFault('is XML: set the format of the subscription to JSON or SIMPLIFIED');
    }
    throw new BodyFault(`is not JSON: ${where(error)}`);
  }
}

/** The parser's message without the text that it quotes. */
function where(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const at = /at position \d+/.exec(message)?.[0];
  if (at) return `unexpected character ${at}`;
  return /end of JSON/.test(message) ? 'it ends too early' : 'it does not start like JSON';
}

function fromBase64(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '' || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(trimmed)) return undefined;
  try {
    return asObject(JSON.parse(Buffer.from(trimmed, 'base64').toString('utf8')));
  } catch {
    return undefined; // Not Base64 of JSON; the caller reports the error.
  }
}

function readValue(value: unknown, depth: number): Reading {
  if (depth > MAX_DEPTH) throw new BodyFault('has too many nested envelopes');
  if (Array.isArray(value)) return join(value.map((one) => readValue(one, depth + 1)));
  const body = asObject(value);
  if (body === undefined) throw new BodyFault('is JSON but not an object or a list');
  return readObject(body, depth);
}

function readObject(body: JsonObject, depth: number): Reading {
  if (body.Type !== undefined && body.TopicArn !== undefined) return readSns(body, depth);
  // MNS (SMQ) with NotifyContentFormat JSON.
  if (body.TopicOwner !== undefined && typeof body.Message === 'string') return readText(body.Message, depth + 1);
  if (Array.isArray(body.Records)) return readS3Records(body.Records);
  if (Array.isArray(body.events)) return readOssEvents(body.events);
  if (body['detail-type'] !== undefined && body.source === 'aws.s3') return readS3EventBridge(body);
  if (body.specversion !== undefined && body.source === 'acs.oss') return readOssCloudEvent(body);
  if (body.Event === 's3:TestEvent') return { events: [], ignored: 1 };
  if (body.key !== undefined && body.kind !== undefined) return { events: [readPlain(body)], ignored: 0 };
  throw new BodyFault('is not an event of S3, EventBridge, SNS, MinIO, Ceph or OSS, and has no "key" and "kind"');
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
function readSns(body: JsonObject, depth: number): Reading {
  if (body.Type === 'Notification' && typeof body.Message === 'string') return readText(body.Message, depth + 1);
  const topic = shown(body.TopicArn);
  if (body.Type === 'UnsubscribeConfirmation') {
    return { events: [], ignored: 1, notice: `the SNS topic ${topic} has ended its subscription` };
  }
  if (body.Type !== 'SubscriptionConfirmation') throw new BodyFault('is an SNS message of an unknown type');
  const url = asText(body.SubscribeURL) ?? '';
  const notice = SNS_URL.test(url)
    ? `the SNS topic ${topic} requests confirmation of its subscription; if you created it, open this URL once: ${url}`
    : `a message that claims to be from the SNS topic ${topic} has a confirmation URL outside SNS; do not open it`;
  return { events: [], ignored: 1, notice };
}

const SNS_URL = /^https:\/\/sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[\w?=&:.%~-]+$/;

/** Makes text safe for a terminal. */
function shown(value: unknown): string {
  return (asText(value) ?? '?').replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 256);
}

/** `{"key": …, "kind": "created" | "removed"}`: xsync's own format, with the other fields of an event. */
function readPlain(body: JsonObject): ChangeEvent {
  const { kind } = body;
  if (kind !== 'created' && kind !== 'removed') throw new BodyFault('has a "kind" other than created or removed');
  return compact({
    bucket: asText(body.bucket),
    key: wholeKey(body.key),
    kind,
    sequencer: asText(body.sequencer),
    atMs: asTimeMs(body.time),
    size: asSize(body.size),
    etag: asEtag(body.etag),
    versionId: asText(body.versionId),
  });
}

function join(readings: readonly Reading[]): Reading {
  return compact({
    events: readings.flatMap((reading) => reading.events),
    ignored: readings.reduce((sum, reading) => sum + reading.ignored, 0),
    notice: readings.find((reading) => reading.notice !== undefined)?.notice,
  });
}
