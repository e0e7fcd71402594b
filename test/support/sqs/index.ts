/**
 * A strict fake of SQS: one standard queue over the JSON protocol (AWS JSON 1.0). It verifies signatures, refuses the
 * same requests as the service, hides received messages, counts receipts, and moves messages that were received too
 * often to the dead letters.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, Queue, refuse, SqsRefusal } from './queue.js';
import { verifySignature } from './signature.js';

export interface FakeSqsOptions {
  accessKeyId: string;
  secretAccessKey: string;
  region?: string;
  /** Receipts after which a message becomes a dead letter. */
  maxReceiveCount?: number;
}

const ACCOUNT = '123456789012';
const NAME = 'changes';

export class FakeSqs {
  readonly queue: Queue;
  /** Operations in order of arrival. */
  readonly calls: string[] = [];
  /** Errors for the next calls of any kind; `reset` resets the connection. */
  readonly faults: (SqsRefusal | 'reset')[] = [];
  readonly #options: Required<FakeSqsOptions>;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(options: FakeSqsOptions) {
    this.#options = { region: 'eu-central-1', maxReceiveCount: Number.POSITIVE_INFINITY, ...options };
    this.queue = new Queue(this.#options.maxReceiveCount);
  }

  static async start(options: FakeSqsOptions): Promise<FakeSqs> {
    const server = new FakeSqs(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The queue's address as a user writes it. */
  get address(): string {
    return `sqs://${this.#options.region}/${ACCOUNT}/${NAME}?endpoint=${this.endpoint}`;
  }

  /** Adds a message to the queue and returns its ID. */
  send(body: string): string {
    const id = randomUUID();
    this.queue.add({ id, body, md5: createHash('md5').update(body).digest('hex') });
    return id;
  }

  async close(): Promise<void> {
    this.queue.stop();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = this.faults.shift();
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    try {
      if (fault) throw fault;
      respond(response, 200, await this.#answer(request, Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      if (!(error instanceof SqsRefusal)) throw error;
      const { type, message } = error;
      respond(response, error.status, { __type: `com.amazonaws.sqs#${type}`, message });
    }
  }

  async #answer(request: IncomingMessage, body: string): Promise<Answer> {
    const { method, headers, url } = request;
    if (method !== 'POST' || url !== '/') throw refuse('InvalidAction', `${method} ${url} is no call`);
    if (headers['content-type'] !== 'application/x-amz-json-1.0') throw refuse('InvalidAction', 'not AWS JSON 1.0');
    verifySignature(request, body, this.#options);
    const operation = /^AmazonSQS\.(\w+)$/.exec(String(headers['x-amz-target']))?.[1] ?? '';
    this.calls.push(operation);
    const input = JSON.parse(body) as Record<string, unknown>;
    if (input.QueueUrl !== `${this.endpoint}/${ACCOUNT}/${NAME}`) {
      throw refuse('QueueDoesNotExist', 'The specified queue does not exist.');
    }
    switch (operation) {
      case 'ReceiveMessage':
        return this.queue.receive(input, request);
      case 'DeleteMessageBatch':
        return this.queue.deleteBatch(input);
      case 'ChangeMessageVisibilityBatch':
        return this.queue.changeVisibilityBatch(input);
      default:
        throw refuse('InvalidAction', `${operation} is not built in`);
    }
  }
}

function respond(response: ServerResponse, status: number, answer: Answer): void {
  const text = JSON.stringify(answer);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
  });
  response.end(text);
}
