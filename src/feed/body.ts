import type { ChangeEvent } from './feed.js';
import { asEtag, asObject, asSize, asText, asTimeMs, compact, type JsonObject } from './json.js';
import { readOssCloudEvent, readOssEvents } from './oss-events.js';
import { BodyFault, type Reading, wholeKey } from './reading.js';
import { readS3EventBridge, readS3Records } from './s3-events.js';

/** Envelopes in envelopes: S3 through SNS through SQS is two. */
const MAX_DEPTH = 4;

/**
 * Reads the body of a notification: what S3, EventBridge, SNS, MinIO, Ceph and Alibaba OSS send, each alone, in a list,
 * and in the envelopes of SNS and MNS.
 * @throws BodyFault
 */
export function readBody(text: string): Reading {
  return readText(text, 0);
}

function readText(text: string, depth: number): Reading {
  return readValue(parse(text), depth);
}

/** JSON, or the Base64 of JSON, as which OSS puts its events into MNS. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const decoded = fromBase64(text);
    if (decoded !== undefined) return decoded;
    if (/^\s*<(\?xml|Notification)/.test(text)) {
      throw new BodyFault('is XML: choose JSON or SIMPLIFIED as the format of the subscription');
    }
    throw new BodyFault(`is not JSON: ${where(error)}`);
  }
}

/** The parser's message without the piece of the text that it quotes. */
function where(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const at = /at position \d+/.exec(message)?.[0];
  if (at) return `a character that does not belong there, ${at}`;
  return /end of JSON/.test(message) ? 'it ends too early' : 'it does not start as JSON does';
}

function fromBase64(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '' || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(trimmed)) return undefined;
  try {
    return asObject(JSON.parse(Buffer.from(trimmed, 'base64').toString('utf8')));
  } catch {
    return undefined; // It is none; what the text is then, the caller says.
  }
}

function readValue(value: unknown, depth: number): Reading {
  if (depth > MAX_DEPTH) throw new BodyFault('has too many envelopes around it');
  if (Array.isArray(value)) return join(value.map((one) => readValue(one, depth + 1)));
  const body = asObject(value);
  if (body === undefined) throw new BodyFault('is JSON, but neither an object nor a list');
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
  throw new BodyFault('is no event of S3, EventBridge, SNS, MinIO, Ceph or OSS, and has no "key" and "kind"');
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
    ? `the SNS topic ${topic} asks to confirm its subscription: open this URL once, if you subscribed it: ${url}`
    : `something that calls itself the SNS topic ${topic} asks to open a URL that is not of SNS: do not`;
  return { events: [], ignored: 1, notice };
}

const SNS_URL = /^https:\/\/sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[\w?=&:.%~-]+$/;

/** Fit for a terminal. */
function shown(value: unknown): string {
  return (asText(value) ?? '?').replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 256);
}

/** `{"key": …, "kind": "created" | "removed"}`: the form of xsync itself, with the other fields of an event. */
function readPlain(body: JsonObject): ChangeEvent {
  const { kind } = body;
  if (kind !== 'created' && kind !== 'removed') throw new BodyFault('has a "kind" other than created and removed');
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
