/**
 * DynamoDB on loopback: dynalite behind a proxy that counts what is asked, and refuses what it is told to refuse.
 */
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { quietSdk } from '../../src/aws/quiet.js';

quietSdk();

/** What `aws dynamodb create-table --cli-input-json` takes. */
export const TEMPLATE = new URL('../../examples/state/dynamodb.json', import.meta.url);

export interface Dynamo {
  endpoint: string;
  client: DynamoDBClient;
  /** Requests by operation, since the last call. */
  counts(): Record<string, number>;
  /** The next requests of this operation are refused so. */
  refuse(operation: string, error: string, times: number): void;
  /** The next requests of this operation are carried out, and this is answered. */
  pretend(operation: string, error: string, times: number): void;
  createTable(more?: Partial<CreateTableCommandInput>): Promise<void>;
  close(): Promise<void>;
}

export async function startDynamo(): Promise<Dynamo> {
  const behind = dynalite({ createTableMs: 0 });
  const target = await listen(behind);
  let counts: Record<string, number> = {};
  const refusals: { operation: string; error: string; times: number; forwarded: boolean }[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
    counts[operation] = (counts[operation] ?? 0) + 1;
    const refusal = refusals.find((one) => one.operation === operation && one.times > 0);
    if (refusal) refusal.times--;
    const refuse = (error: string): void => {
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      const __type = `com.amazonaws.dynamodb.v20120810#${error}`;
      outgoing.end(JSON.stringify({ __type, message: `refused by the test: ${error}` }));
    };
    if (refusal && !refusal.forwarded) {
      incoming.resume();
      refuse(refusal.error);
      return;
    }
    const { method, url: path, headers } = incoming;
    const forward = request({ host: '127.0.0.1', port: target, method, path, headers }, (answer) => {
      if (refusal) {
        answer.resume().on('end', () => refuse(refusal.error));
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forward);
  });
  const endpoint = `http://127.0.0.1:${await listen(proxy)}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  return {
    endpoint,
    client,
    counts: () => {
      const seen = counts;
      counts = {};
      return seen;
    },
    refuse: (operation, error, times) => void refusals.push({ operation, error, times, forwarded: false }),
    pretend: (operation, error, times) => void refusals.push({ operation, error, times, forwarded: true }),
    async createTable(more = {}) {
      const given: CreateTableCommandInput = JSON.parse(readFileSync(TEMPLATE, 'utf8'));
      // Dynalite knows fewer settings than the service.
      const { TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = given;
      const known = { TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes };
      await client.send(new CreateTableCommand({ ...known, ...more }));
    },
    async close() {
      client.destroy();
      await Promise.all([proxy, behind].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
