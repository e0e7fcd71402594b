import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { readBody } from './body.js';
import { Bell } from './clock.js';
import { type ChangeBatch, type ChangeEvent, type Feed, type FeedCounts, Trouble } from './feed.js';
import { BodyFault } from './reading.js';
import type { QueueAddress } from './sqs-address.js';
import { explain, isAbort, isSettledByPerson } from './sqs-errors.js';

export interface SqsLimits {
  /** Seconds that one call waits for messages; the service takes up to 20. */
  waitS: number;
  /** Seconds for which received messages are kept from others; renewed while work goes on. */
  visibilityS: number;
  /** Milliseconds between renewals. */
  renewMs: number;
  /** Messages received and not settled; above that no more is received. The service allows 120,000 a queue. */
  messages: number;
  /** Milliseconds after a first fault; doubled with each further one, up to thirty seconds. */
  backoffMs: number;
}

const LIMITS: SqsLimits = { waitS: 20, visibilityS: 120, renewMs: 60_000, messages: 1_000, backoffMs: 1_000 };

/** The most that SQS takes in one call. */
const BATCH = 10;
/** First pause of released messages in seconds, doubled with every further receipt, and the longest one. */
const AGAIN_S = 10;
const AGAIN_MAX_S = 900;
/** Unreadable messages of which it is remembered that they were told. */
const TOLD = 1_000;

/**
 * Messages of an SQS queue, by long polling. One receiver does several hundred messages a second, and each may tell of
 * many objects.
 *
 * A message that cannot be read is told once and left where it is: it may be somebody else's, and only the queue's own
 * redrive policy or retention may throw it away. Released messages stay invisible for longer each time, so that a
 * destination that is down for an hour does not drive them into the dead-letter queue.
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
  readonly #told = new Set<string>();
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
    return `takes events from the queue ${this.name}`;
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

  /** Up to ten messages; none when the wait or the stream ended. @throws what was refused from the first call on */
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
        this.#trouble.is(`${explained.message}; trying again`);
        await pause(Math.min(30_000, backoffMs * 2 ** faults), stop);
      }
    }
    return [];
  }

  #open(): Promise<Calls> {
    this.#calls ??= Calls.open(this.#address);
    return this.#calls;
  }

  /** Messages without an event that concerns anybody are deleted at once; unreadable ones are left. */
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
    if (this.#told.has(id)) return;
    this.counts.refused++;
    this.#told.add(id);
    const [first] = this.#told;
    if (this.#told.size > TOLD && first !== undefined) this.#told.delete(first);
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

  /** What fails here comes again by itself when its visibility ends. */
  async #call(how: (calls: Calls) => Promise<void>): Promise<void> {
    try {
      await how(await this.#open());
    } catch (error) {
      this.#trouble.is(`${explain(error, this.name).message}; events may come twice`);
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

  /** Loads the SDK only now: every start of the program would pay for it. */
  static async open(address: QueueAddress): Promise<Calls> {
    // Its warning of what it will need some day is for us to read, not for whoever runs the program.
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

  /** Keeps messages invisible for so many seconds from now. One that is gone, or was held for 12 hours, is let go. */
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
