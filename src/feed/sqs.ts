import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { readBody } from './body.js';
import { Bell } from './clock.js';
import { type ChangeBatch, type ChangeEvent, type Feed, type FeedCounts, Trouble } from './feed.js';
import { BodyFault } from './reading.js';
import type { QueueAddress } from './sqs-address.js';
import { explain, isAbort, isSettledByPerson } from './sqs-errors.js';

export interface SqsLimits {
  /** Seconds that one call waits for messages; the service allows up to 20. */
  waitS: number;
  /** Visibility timeout of received messages in seconds; renewed until they are settled. */
  visibilityS: number;
  /** Milliseconds between renewals. */
  renewMs: number;
  /** Maximum number of received messages that are not settled. The service allows 120,000 per queue. */
  messages: number;
  /** Wait after the first error in milliseconds; doubles with each further one, up to 30 s. */
  backoffMs: number;
}

const LIMITS: SqsLimits = { waitS: 20, visibilityS: 120, renewMs: 60_000, messages: 1_000, backoffMs: 1_000 };

/** Maximum number of messages in one SQS call. */
const BATCH = 10;
/** First and longest pause of released messages in seconds; it doubles with each receipt. */
const AGAIN_S = 10;
const AGAIN_MAX_S = 900;
/** Number of reported unreadable messages to remember. */
const MOST_REPORTED = 1_000;

/**
 * Messages of an SQS queue, by long polling. One receiver handles several hundred messages per second, each with one or
 * more objects.
 *
 * An unreadable message is reported once and left in the queue: it may be meant for another consumer, and only the
 * queue's redrive policy or retention may remove it. Released messages stay invisible for longer each time, so that a
 * destination that is down for an hour does not move them to the dead-letter queue.
 */
export class SqsFeed implements Feed {
  readonly name: string;
  readonly counts: FeedCounts = { events: 0, ignored: 0, refused: 0 };
  onTrouble?: (message: string | undefined) => void;
  readonly #address: QueueAddress;
  readonly #limits: SqsLimits;
  readonly #trouble = new Trouble((message) => this.onTrouble?.(message));
  readonly #closed = new AbortController();
  readonly #settled = new Bell();
  readonly #renewals = new Set<NodeJS.Timeout>();
  readonly #reported = new Set<string>();
  #calls: Promise<Calls> | undefined;
  #unsettled = 0;
  #worked = false;

  constructor(address: QueueAddress, limits: Partial<SqsLimits> = {}) {
    this.#address = address;
    this.#limits = { ...LIMITS, ...limits };
    this.name = address.name;
  }

  async start(): Promise<string> {
    this.#calls ??= Calls.open(this.#address);
    await this.#calls;
    return `receiving events from the queue ${this.name}`;
  }

  async *batches(signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    await this.start();
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    while (!stop.aborted) {
      const batch = this.#read(await this.#receive(stop));
      if (batch !== undefined) yield batch;
      while (this.#unsettled > this.#limits.messages - BATCH && !stop.aborted) await this.#settled.wait(stop);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const timer of this.#renewals) clearInterval(timer);
    (await this.#calls)?.close();
  }

  /** Up to ten messages; none if the wait or the stream ended. @throws as `batches` */
  async #receive(stop: AbortSignal): Promise<Message[]> {
    const { waitS, visibilityS, backoffMs } = this.#limits;
    for (let faults = 0; !stop.aborted; faults++) {
      try {
        const messages = await (await this.#open()).receive(waitS, visibilityS, stop);
        this.#worked = true;
        if (faults > 0 || messages.length > 0) this.#trouble.over();
        return messages;
      } catch (error) {
        if (isAbort(error, stop)) break;
        const explained = explain(error, this.name);
        if (!this.#worked && isSettledByPerson(explained)) throw explained;
        this.#trouble.is(`${explained.message}; retrying`);
        await pause(Math.min(30_000, backoffMs * 2 ** faults), stop);
      }
    }
    return [];
  }

  #open(): Promise<Calls> {
    this.#calls ??= Calls.open(this.#address);
    return this.#calls;
  }

  /** Deletes messages without relevant events at once; leaves unreadable ones in the queue. */
  #read(messages: readonly Message[]): ChangeBatch | undefined {
    const events: ChangeEvent[] = [];
    const read = messages.filter((message) => {
      const found = this.#eventsOf(message);
      events.push(...(found ?? []));
      return found !== undefined;
    });
    if (read.length === 0) return undefined;
    this.counts.events += events.length;
    const batch = this.#batch(read, events);
    if (events.length > 0) return batch;
    void batch.done();
    return undefined;
  }

  #eventsOf(message: Message): readonly ChangeEvent[] | undefined {
    try {
      const { events, ignored, notice } = readBody(message.Body ?? '');
      this.counts.ignored += ignored;
      if (notice !== undefined) this.#trouble.is(notice);
      return events;
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      this.#unreadable(message.MessageId ?? '?', error);
      return undefined;
    }
  }

  #unreadable(id: string, fault: BodyFault): void {
    if (this.#reported.has(id)) return;
    this.counts.refused++;
    this.#reported.add(id);
    const [first] = this.#reported;
    if (this.#reported.size > MOST_REPORTED && first !== undefined) this.#reported.delete(first);
    this.#trouble.is(`${this.name}: message ${id} ${fault.message}; it is left in the queue`);
  }

  #batch(messages: readonly Message[], events: readonly ChangeEvent[]): ChangeBatch {
    this.#unsettled += messages.length;
    const renewal = setInterval(() => void this.#call((calls) => this.#renew(calls, messages)), this.#limits.renewMs);
    this.#renewals.add(renewal);
    let settled = false;
    const settle = (how: (calls: Calls) => Promise<void>) => async () => {
      if (settled) return;
      settled = true;
      clearInterval(renewal);
      this.#renewals.delete(renewal);
      await this.#call(how);
      this.#unsettled -= messages.length;
      this.#settled.ring();
    };
    return {
      events,
      done: settle((calls) => calls.delete(messages)),
      release: settle((calls) => calls.hide(messages, pauseAfterReceipts)),
    };
  }

  #renew(calls: Calls, messages: readonly Message[]): Promise<void> {
    return calls.hide(messages, () => this.#limits.visibilityS);
  }

  /** Reports errors only: after one, the messages are delivered again when their visibility timeout ends. */
  async #call(how: (calls: Calls) => Promise<void>): Promise<void> {
    try {
      await how(await this.#open());
    } catch (error) {
      this.#trouble.is(`${explain(error, this.name).message}; events may be delivered twice`);
    }
  }
}

function pauseAfterReceipts(message: Message): number {
  const receipts = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
  return Math.min(AGAIN_MAX_S, AGAIN_S * 2 ** Math.min(receipts - 1, 10));
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  const bell = new Bell();
  const timer = setTimeout(() => bell.ring(), ms);
  await bell.wait(stop);
  clearTimeout(timer);
}

type Sdk = typeof import('@aws-sdk/client-sqs');

/** The calls of one queue. */
class Calls {
  readonly #sdk: Sdk;
  readonly #client: SQSClient;
  readonly #url: string;

  private constructor(sdk: Sdk, { region, endpoint, url }: QueueAddress) {
    this.#sdk = sdk;
    this.#url = url;
    // A long poll is silent for 20 s.
    const requestHandler = { connectionTimeout: 5_000, requestTimeout: 30_000 };
    this.#client = new sdk.SQSClient({ region, ...(endpoint && { endpoint }), requestHandler });
  }

  /** Loads the SDK here, so that other runs start without it. */
  static async open(address: QueueAddress): Promise<Calls> {
    // Its warning about future Node versions is for developers, not users.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    return new Calls(await import('@aws-sdk/client-sqs'), address);
  }

  async receive(waitS: number, visibilityS: number, abortSignal: AbortSignal): Promise<Message[]> {
    const command = new this.#sdk.ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: waitS,
      VisibilityTimeout: visibilityS,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    return (await this.#client.send(command, { abortSignal })).Messages ?? [];
  }

  async delete(messages: readonly Message[]): Promise<void> {
    const Entries = messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    const { Failed } = await this.#client.send(
      new this.#sdk.DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries }),
    );
    if (Failed?.length) throw new Error(`${Failed.length} messages were not deleted: ${Failed[0]?.Message ?? '?'}`);
  }

  /** Keeps messages invisible for `seconds` from now. Ignores those that are gone or were held for 12 hours. */
  async hide(messages: readonly Message[], seconds: (message: Message) => number): Promise<void> {
    const Entries = messages.map((message, at) => ({
      Id: String(at),
      ReceiptHandle: message.ReceiptHandle,
      VisibilityTimeout: seconds(message),
    }));
    await this.#client.send(new this.#sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#url, Entries }));
  }

  close(): void {
    this.#client.destroy();
  }
}
