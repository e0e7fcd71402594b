/**
 * The table that a bridge's state is in: how it must be made, and items of it.
 * Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 * Tests: test/manifest/dynamodb/open.test.ts
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { XsyncError } from '../../model/error.js';
import type { Draft, QueuePlace, RecordName, Stored } from '../records/port.js';

/** The index: its partition key is `queue`, its sort key `rank`, and it projects keys only. */
export const INDEX = 'queue';

/** Partitions of a queue in the index: one takes about 1,000 writes a second. */
export const SHARDS = 4;

/** Bytes of an item, names included. */
const MOST_BYTES = 400 * 1024;
/** What an item has besides its text. */
const OTHER_BYTES = 4096;

export type Item = Record<string, AttributeValue>;

/** The primary key, `pk` and `sk`. Several bridges may share a table, each with its prefix. */
export function keyOf(prefix: string, { group, id }: RecordName): Item {
  return { pk: { S: prefix + group }, sk: { S: id } };
}

export function nameIn(prefix: string, { pk, sk }: Item): RecordName {
  return { group: (pk?.S ?? '').slice(prefix.length), id: sk?.S ?? '' };
}

/** @throws limit: it is too large for an item */
export function itemOf(prefix: string, name: RecordName, draft: Draft, version: string): Item {
  const { text, place, untilMs } = draft;
  if (Buffer.byteLength(text) > MOST_BYTES - OTHER_BYTES) {
    const what = `${name.group} ${JSON.stringify(name.id)}`;
    throw new XsyncError('limit', `${what} is larger than an item of DynamoDB may be (400 KB)`, { subject: name.id });
  }
  return {
    ...keyOf(prefix, name),
    text: { S: text },
    version: { S: version },
    ...(place && { queue: { S: shardOf(prefix, place.queue, shardNumber(name)) }, rank: { S: place.rank } }),
    // DynamoDB's time to live is in seconds.
    ...(untilMs !== undefined && { expires: { N: String(Math.ceil(untilMs / 1000)) } }),
  };
}

export function storedIn(prefix: string, item: Item): Stored {
  const queue = item.queue?.S?.slice(prefix.length).replace(/#\d+$/, '');
  return {
    name: nameIn(prefix, item),
    text: item.text?.S ?? '',
    version: item.version?.S ?? '',
    ...(queue !== undefined && { place: { queue, rank: rankIn(item) } }),
  };
}

export function rankIn(item: Item): string {
  return item.rank?.S ?? '';
}

export function shardOf(prefix: string, queue: QueuePlace['queue'], shard: number): string {
  return `${prefix}${queue}#${shard}`;
}

function shardNumber({ group, id }: RecordName): number {
  let sum = 0;
  for (const byte of Buffer.from(group + id)) sum = (sum * 31 + byte) % 65_521;
  return sum % SHARDS;
}
