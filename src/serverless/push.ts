/** The pushing end as a function: events in, signed tickets out. Tests: test/serverless/push.test.ts */
import { PullClient } from '../bridge/push/client.js';
import { earDoor } from '../bridge/push/ear.js';
import { keyIn, look } from '../bridge/push/look.js';
import { Sender } from '../bridge/push/sender.js';
import { limiter } from '../engine/flow/queue.js';
import { parseJob } from '../engine/job/job.js';
import { BodyFault } from '../feed/reading.js';
import type { OutboxRow } from '../manifest/queues.js';
import type { RecordOutbox } from '../manifest/records/outbox.js';
import { toXsyncError, XsyncError } from '../model/error.js';
import { openBareSource } from '../open/bare.js';
import { openOutboxState } from '../open/bridge-state.js';
import type { OpenSide } from '../open/settings.js';
import { type CloudRecord, recordsOf } from './events.js';
import { answerOf, type HttpResult } from './http.js';
import type { Environment, Invocation, Work } from './invocation.js';
import { AUDIT, say } from './log.js';
import { type PushSettings, readPushSettings, secretsOf } from './settings.js';
import { refuseShortCalls, stopAt, unlessTimeIsUp } from './time.js';

/** Objects that are looked at, at once. */
const AT_ONCE = 16;

/** As SQS takes it. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html */
export interface BatchResult {
  batchItemFailures: { itemIdentifier: string }[];
}

interface Pushing {
  source: OpenSide;
  outbox: RecordOutbox;
  sender: Sender;
  deletes: boolean;
  /** Events about tags or ACLs mean something. */
  reads: boolean;
  /** What was given up is kept in the outbox, and not only in the event. */
  keeps: boolean;
  close(): Promise<void>;
}

/**
 * Hears of changes. An event is settled when the other end has every ticket of it: of SQS, the messages that are not are
 * named in the answer; otherwise the call fails, so that the event comes again.
 * @throws (init) config
 */
export function pushEvents(env: Environment): Work {
  const settings = readPushSettings(env);
  return async (event, invocation): Promise<BatchResult> => {
    refuseShortCalls(invocation, settings.XSYNC_MARGIN_SECONDS);
    const records = recordsOf(event);
    const failed = await withPushing(settings, invocation, (pushing) =>
      new Delivery(pushing, records).run(stopAt(invocation, settings.XSYNC_MARGIN_SECONDS)),
    );
    for (const fault of failed.values()) say('warn', fault.message, { code: fault.code });
    const messages = [...failed.keys()].map(({ messageId }) => messageId);
    const [first] = failed.values();
    if (first && messages.includes(undefined)) throw first;
    return { batchItemFailures: messages.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) };
  };
}

/**
 * Asks what became of tickets, sends again what was not read in time, and what is due. For a schedule.
 * @throws (init) config
 */
export function sweepOutbox(env: Environment): Work {
  const settings = readPushSettings(env);
  return async (_event, invocation) => {
    refuseShortCalls(invocation, settings.XSYNC_MARGIN_SECONDS);
    return withPushing(settings, invocation, async ({ sender, outbox, keeps }) => {
      if (!keeps) throw withoutState();
      await sender.follow(stopAt(invocation, settings.XSYNC_MARGIN_SECONDS), { once: true });
      return { done: await outbox.isIdle() };
    });
  };
}

/**
 * Hears by HTTP what became of tickets, with the checks of a callback of `xsync bridge push`.
 * @throws (init) config
 */
export function hearOutcomes(env: Environment): Work {
  const settings = readPushSettings(env);
  return (event, invocation) =>
    withPushing(settings, invocation, async ({ sender, outbox, keeps }): Promise<HttpResult> => {
      if (!keeps) throw withoutState();
      const secrets = await secretsOf(settings, invocation.env);
      const door = earDoor({
        ...{ secrets: () => secrets, audit: AUDIT },
        once: (...nonce) => outbox.once(...nonce),
        hear: (outcomes) => sender.heard(outcomes),
      });
      return answerOf(door, event);
    });
}

function withoutState(): XsyncError {
  return new XsyncError('config', 'XSYNC_STATE is not set, so that nothing is remembered that could be sent again', {
    subject: 'XSYNC_STATE',
    remedy: 'Set it, or remove the schedule.',
  });
}

async function withPushing<T>(
  settings: PushSettings,
  { env }: Invocation,
  work: (pushing: Pushing) => Promise<T>,
): Promise<T> {
  const pushing = await openPushing(settings, env);
  try {
    return await work(pushing);
  } finally {
    await pushing.close();
  }
}

async function openPushing(settings: PushSettings, env: Environment): Promise<Pushing> {
  const { XSYNC_SOURCE: place, XSYNC_PULL_URL: url, XSYNC_DELETE: deletes, XSYNC_STATE: state } = settings;
  const { XSYNC_CALLBACK_URL: callback } = settings;
  const [secret = ''] = await secretsOf(settings, env);
  const { source, transport, close } = await openBareSource(parseJob('copy', { source: place, destination: url }), env);
  const outbox = await openOutboxState(state, env);
  const reading = { tags: settings.XSYNC_TAGS, acl: settings.XSYNC_ACL };
  const sender = new Sender({
    ...{ store: source.store, prefix: source.prefix, text: source.text, outbox, deletes },
    ...{ reading, versions: false, ...(callback !== undefined && { callback: { url: callback } }) },
    expiresS: settings.XSYNC_EXPIRE_SECONDS,
    attempts: settings.XSYNC_ATTEMPTS,
    client: new PullClient(transport, url, () => secret),
    done: ({ key }) => say('info', 'done', { key }),
    dead: ({ key, fault }) => say('error', `given up: ${fault?.message}`, { key, code: fault?.code }),
    warn: (message) => say('warn', message),
    trouble: (message) => message !== undefined && say('warn', message),
  });
  return {
    ...{ source, outbox, sender, deletes, keeps: state !== undefined, reads: reading.tags || reading.acl },
    async close() {
      await Promise.all([outbox.close(), close()]);
    },
  };
}

/** One call. */
class Delivery {
  readonly #pushing: Pushing;
  readonly #records: readonly CloudRecord[];
  readonly #failed = new Map<CloudRecord, XsyncError>();
  /** Keys of which an event says that the tags or the ACL have changed. */
  readonly #attributes = new Set<string>();

  constructor(pushing: Pushing, records: readonly CloudRecord[]) {
    this.#pushing = pushing;
    this.#records = records;
  }

  /** @returns the records that must come again, or be looked at by somebody */
  async run(stop: AbortSignal): Promise<ReadonlyMap<CloudRecord, XsyncError>> {
    const { sender, outbox } = this.#pushing;
    const keys = this.#keys();
    const limit = limiter(AT_ONCE);
    await Promise.all([...keys].map(([key, records]) => limit(() => this.#look(key, records, stop))));
    const fault = await sender.sendDue(stop).then(() => undefined, toXsyncError);
    for (const [key, records] of keys) {
      const row = await outbox.get(key);
      const left = row && this.#leftOf(row, fault);
      if (left) this.#fail(records, left);
    }
    return this.#failed;
  }

  /** By key: the records that are about it. */
  #keys(): Map<string, CloudRecord[]> {
    const keys = new Map<string, CloudRecord[]>();
    for (const record of this.#records) {
      for (const key of this.#keysOf(record)) keys.set(key, [...(keys.get(key) ?? []), record]);
    }
    return keys;
  }

  #keysOf(record: CloudRecord): Set<string> {
    try {
      const { events, notice } = record.read();
      if (notice !== undefined) say('warn', notice);
      const keys = new Set<string>();
      for (const { attributes, ...event } of events) {
        const key = keyIn(this.#pushing.source, event);
        if (key === undefined) continue;
        keys.add(key);
        if (attributes) this.#attributes.add(key);
      }
      return keys;
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      this.#fail([record], new XsyncError('invalid-response', `a record ${error.message}`));
      return new Set();
    }
  }

  async #look(key: string, records: readonly CloudRecord[], stop: AbortSignal): Promise<void> {
    const { source, outbox, deletes, reads } = this.#pushing;
    const attributes = reads && this.#attributes.has(key);
    try {
      unlessTimeIsUp(stop);
      await look(key, { source, outbox, attributes, mayDelete: () => deletes });
    } catch (error) {
      this.#fail(records, toXsyncError(error));
    }
  }

  /** Why the other end does not have the ticket of the row; undefined if it has, or if it was given up for good. */
  #leftOf({ key, state, fault }: OutboxRow, ofAll: XsyncError | undefined): XsyncError | undefined {
    if (state === 'sent' || state === 'done' || state === 'known') return undefined;
    if (state === 'dead' && this.#pushing.keeps) return undefined;
    return ofAll ?? new XsyncError('throttled', `${key}: ${fault?.message ?? 'it was not sent'}`, { subject: key });
  }

  #fail(records: readonly CloudRecord[], fault: XsyncError): void {
    for (const record of records) this.#failed.set(record, fault);
  }
}
