/**
 * Records in a table of DynamoDB. A swap is one conditional PutItem; queues are an index of the table, which DynamoDB keeps.
 * Tests: test/contract/state.test.ts
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as sdk from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { XsyncError } from '../../model/error.js';
import { inParallel } from '../../model/parallel.js';
import { type Draft, nameText, type Ranks, type RecordName, type Records, type Stored } from '../records/port.js';
import { explain, isPassing } from './errors.js';
import { INDEX, type Item, itemOf, keyOf, nameIn, rankIn, SHARDS, shardOf, storedIn } from './table.js';

export interface TableMeans {
  client: DynamoDBClient;
  sdk: typeof sdk;
  table: string;
  /** For messages. */
  region: string;
  /** Of the names of all records. */
  prefix: string;
  /** Pause before a call is repeated, ms; it doubles. */
  firstPauseMs?: number;
}

/** Items of one request. */
const READ = 100;
const WRITE = 25;
const AT_ONCE = 16;
/** Of a call that the table has no capacity for, or of what a batch has left. */
const TRIES = 10;
const LONGEST_MS = 5_000;

export class DynamoRecords implements Records {
  readonly #means: TableMeans;

  constructor(means: TableMeans) {
    this.#means = means;
  }

  async get(names: readonly RecordName[]): Promise<Map<string, Stored>> {
    const { client, sdk, table, prefix } = this.#means;
    const distinct = [...new Map(names.map((name) => [nameText(name), name])).values()];
    const found = new Map<string, Stored>();
    for (let at = 0; at < distinct.length; at += READ) {
      let keys: Item[] | undefined = distinct.slice(at, at + READ).map((name) => keyOf(prefix, name));
      for (let tries = 0; keys !== undefined && keys.length > 0; tries++) {
        await this.#pause(tries);
        const Keys: Item[] = keys;
        const command = new sdk.BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } });
        const answer: sdk.BatchGetItemCommandOutput = await this.#send(() => client.send(command));
        for (const item of answer.Responses?.[table] ?? []) {
          const stored = storedIn(prefix, item);
          found.set(nameText(stored.name), stored);
        }
        keys = answer.UnprocessedKeys?.[table]?.Keys;
      }
    }
    return found;
  }

  async swap(name: RecordName, before: Pick<Stored, 'version'> | undefined, after: Draft): Promise<Stored | undefined> {
    const { client, sdk, table, prefix } = this.#means;
    const version = randomUUID();
    const command = new sdk.PutItemCommand({
      TableName: table,
      Item: itemOf(prefix, name, after, version),
      ...(before
        ? {
            ConditionExpression: '#version = :before',
            ExpressionAttributeNames: { '#version': 'version' },
            ExpressionAttributeValues: { ':before': { S: before.version } },
          }
        : { ConditionExpression: 'attribute_not_exists(pk)' }),
    });
    const written: Stored = { name, text: after.text, version, place: after.place };
    try {
      await this.#send(() => client.send(command));
      return written;
    } catch (error) {
      if (!(error instanceof XsyncError) || error.code !== 'precondition-failed') throw error;
      // The answer to an earlier attempt may have been lost.
      const now = (await this.get([name])).get(nameText(name));
      return now?.version === version ? written : undefined;
    }
  }

  async page(group: string, after: string | undefined, limit: number): Promise<Stored[]> {
    const { client, sdk, table, prefix } = this.#means;
    const found: Stored[] = [];
    for (let start: Item | undefined = after === undefined ? undefined : keyOf(prefix, { group, id: after }); ; ) {
      const command: sdk.QueryCommand = new sdk.QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :group',
        ExpressionAttributeValues: { ':group': { S: prefix + group } },
        ConsistentRead: true,
        ExclusiveStartKey: start,
        Limit: limit - found.length,
      });
      const answer = await this.#send(() => client.send(command));
      for (const item of answer.Items ?? []) found.push(storedIn(prefix, item));
      start = answer.LastEvaluatedKey;
      if (start === undefined || found.length >= limit) return found;
    }
  }

  async queued(queue: string, { limit, ...ranks }: Ranks & { limit: number }): Promise<Stored[]> {
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
    const found = await inParallel(shards, SHARDS, (shard) => this.#query(queue, shard, { ...ranks, Limit: limit }));
    const first = found
      .flatMap(({ Items = [] }) =>
        Items.map((item) => ({ name: nameIn(this.#means.prefix, item), rank: rankIn(item) })),
      )
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .slice(0, limit);
    // The index follows the table, a little later.
    const now = await this.get(first.map(({ name }) => name));
    return first.flatMap(({ name, rank }) => {
      const stored = now.get(nameText(name));
      return stored?.place?.queue === queue && stored.place.rank === rank ? [stored] : [];
    });
  }

  async countQueued(queue: string, most: number): Promise<number> {
    let count = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      let start: Item | undefined;
      do {
        if (count >= most) return most;
        const answer = await this.#query(queue, shard, { Select: 'COUNT', ExclusiveStartKey: start });
        count += answer.Count ?? 0;
        start = answer.LastEvaluatedKey;
      } while (start !== undefined);
    }
    return Math.min(count, most);
  }

  #query(
    queue: string,
    shard: number,
    { after, upTo, ...more }: Ranks & Pick<sdk.QueryCommandInput, 'Limit' | 'Select' | 'ExclusiveStartKey'>,
  ): Promise<sdk.QueryCommandOutput> {
    const { client, sdk, table, prefix } = this.#means;
    const [until, rank] = upTo === undefined ? [' AND #rank > :rank', after] : [' AND #rank <= :rank', upTo];
    const command = new sdk.QueryCommand({
      ...{ TableName: table, IndexName: INDEX, ...more },
      KeyConditionExpression: `#queue = :queue${rank === undefined ? '' : until}`,
      ExpressionAttributeNames: { '#queue': 'queue', ...(rank !== undefined && { '#rank': 'rank' }) },
      ExpressionAttributeValues: {
        ':queue': { S: shardOf(prefix, queue, shard) },
        ...(rank !== undefined && { ':rank': { S: rank } }),
      },
    });
    return this.#send(() => client.send(command));
  }

  async remove(names: readonly RecordName[]): Promise<void> {
    const { client, sdk, table, prefix } = this.#means;
    const batches: Item[][] = [];
    for (let at = 0; at < names.length; at += WRITE) {
      batches.push(names.slice(at, at + WRITE).map((name) => keyOf(prefix, name)));
    }
    await inParallel(batches, AT_ONCE, async (keys) => {
      let left: sdk.WriteRequest[] | undefined = keys.map((Key) => ({ DeleteRequest: { Key } }));
      for (let tries = 0; left !== undefined && left.length > 0; tries++) {
        await this.#pause(tries);
        const command = new sdk.BatchWriteItemCommand({ RequestItems: { [table]: left } });
        const answer: sdk.BatchWriteItemCommandOutput = await this.#send(() => client.send(command));
        left = answer.UnprocessedItems?.[table];
      }
    });
  }

  async close(): Promise<void> {
    this.#means.client.destroy();
  }

  /** Also what the SDK does not repeat. @throws as `explain` */
  async #send<T>(send: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        await this.#pause(tries);
        return await send();
      } catch (error) {
        if (!isPassing(error) || tries + 1 >= TRIES) throw explain(error, this.#means);
      }
    }
  }

  /** @throws throttled: after so many times */
  async #pause(tries: number): Promise<void> {
    if (tries === 0) return;
    const { table, firstPauseMs = 50 } = this.#means;
    if (tries >= TRIES) {
      const remedy = 'Give the table more capacity, or on-demand billing.';
      throw new XsyncError('throttled', `the table ${table} has no capacity for this`, { subject: table, remedy });
    }
    const ms = Math.min(LONGEST_MS, firstPauseMs * 2 ** tries);
    await sleep(ms / 2 + (Math.random() * ms) / 2);
  }
}
