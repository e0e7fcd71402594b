import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type Answer = Record<string, unknown>;

/** An error response. */
export class SqsRefusal extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export function refuse(type: string, message: string, status = 400): SqsRefusal {
  return new SqsRefusal(type, message, status);
}

export interface Held {
  id: string;
  body: string;
  md5: string;
}

interface Entry extends Held {
  receipts: number;
  /** Handle of the last receipt. */
  handle: string | undefined;
  visibleAtMs: number;
}

interface BatchEntry {
  Id: string;
  ReceiptHandle?: string;
  VisibilityTimeout?: number;
}

type Failure = { Id: string; Code: string; Message: string; SenderFault: boolean };

/** Milliseconds between two checks of a long poll. */
const LOOK_MS = 10;

/** A standard queue that uses the real clock. */
export class Queue {
  /** Seconds for which messages were hidden, one entry per change, in the order of the calls. */
  readonly hidden: number[] = [];
  readonly dead: string[] = [];
  readonly #maxReceiveCount: number;
  readonly #messages = new Map<string, Entry>();
  #stopped = false;

  constructor(maxReceiveCount: number) {
    this.#maxReceiveCount = maxReceiveCount;
  }

  add(message: Held): void {
    this.#messages.set(message.id, { ...message, receipts: 0, handle: undefined, visibleAtMs: 0 });
  }

  /** IDs of the messages that were neither deleted nor moved to the dead letters. */
  get ids(): string[] {
    return [...this.#messages.keys()];
  }

  /** The number of receipts of each message in the queue. */
  get receipts(): number[] {
    return [...this.#messages.values()].map((entry) => entry.receipts);
  }

  /** Makes all hidden messages visible. */
  showAll(): void {
    for (const entry of this.#messages.values()) entry.visibleAtMs = 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  async receive(input: Record<string, unknown>, request: IncomingMessage): Promise<Answer> {
    const most = within('MaxNumberOfMessages', input.MaxNumberOfMessages ?? 1, 1, 10);
    const waitS = within('WaitTimeSeconds', input.WaitTimeSeconds ?? 0, 0, 20);
    const visibilityS = within('VisibilityTimeout', input.VisibilityTimeout ?? 30, 0, 43_200);
    const until = performance.now() + waitS * 1_000;
    let found = this.#visible(most);
    while (found.length === 0 && performance.now() < until && !this.#stopped && !request.socket.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      found = this.#visible(most);
    }
    if (found.length === 0 || request.socket.destroyed) return {};
    const names = input.MessageSystemAttributeNames;
    const counts = Array.isArray(names) && names.includes('ApproximateReceiveCount');
    return { Messages: found.map((entry) => receiveOne(entry, visibilityS, counts)) };
  }

  deleteBatch(input: Record<string, unknown>): Answer {
    return this.#batch(input, (entry, found) => {
      if (found === undefined) return failure(entry, 'ReceiptHandleIsInvalid');
      this.#messages.delete(found.id);
      return undefined;
    });
  }

  changeVisibilityBatch(input: Record<string, unknown>): Answer {
    return this.#batch(input, (entry, found) => {
      const seconds = entry.VisibilityTimeout;
      if (typeof seconds !== 'number' || seconds < 0 || seconds > 43_200)
        return failure(entry, 'InvalidParameterValue');
      if (found === undefined) return failure(entry, 'ReceiptHandleIsInvalid');
      if (found.visibleAtMs <= performance.now()) return failure(entry, 'MessageNotInflight');
      found.visibleAtMs = performance.now() + seconds * 1_000;
      this.hidden.push(seconds);
      return undefined;
    });
  }

  #visible(most: number): Entry[] {
    const now = performance.now();
    for (const entry of this.#messages.values()) {
      if (entry.visibleAtMs > now || entry.receipts < this.#maxReceiveCount) continue;
      this.#messages.delete(entry.id);
      this.dead.push(entry.id);
    }
    return [...this.#messages.values()].filter((entry) => entry.visibleAtMs <= now).slice(0, most);
  }

  #batch(
    input: Record<string, unknown>,
    act: (entry: BatchEntry, found: Entry | undefined) => Failure | undefined,
  ): Answer {
    const entries = (input.Entries ?? []) as BatchEntry[];
    if (entries.length === 0) throw refuse('EmptyBatchRequest', 'There should be at least one entry in the request.');
    if (entries.length > 10) throw refuse('TooManyEntriesInBatchRequest', 'Maximum number of entries is 10.');
    const ids = new Set(entries.map(({ Id }) => Id));
    if (ids.size < entries.length) throw refuse('BatchEntryIdsNotDistinct', 'Two or more entries have the same Id.');
    const held = [...this.#messages.values()];
    const failed = entries.flatMap((entry) => {
      const found = held.find(({ handle }) => handle !== undefined && handle === entry.ReceiptHandle);
      return act(entry, found) ?? [];
    });
    const lost = new Set(failed.map(({ Id }) => Id));
    return { Successful: [...ids].filter((id) => !lost.has(id)).map((Id) => ({ Id })), Failed: failed };
  }
}

function receiveOne(entry: Entry, visibilityS: number, counts: boolean): Answer {
  entry.receipts++;
  entry.handle = randomUUID();
  entry.visibleAtMs = performance.now() + visibilityS * 1_000;
  return {
    MessageId: entry.id,
    ReceiptHandle: entry.handle,
    MD5OfBody: entry.md5,
    Body: entry.body,
    ...(counts && { Attributes: { ApproximateReceiveCount: String(entry.receipts) } }),
  };
}

function failure({ Id }: BatchEntry, Code: string): Failure {
  return { Id, Code, Message: `${Code} for ${Id}`, SenderFault: true };
}

function within(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw refuse('InvalidParameterValue', `Value ${String(value)} for parameter ${name} is invalid.`);
}
