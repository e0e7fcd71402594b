/** The change events of a watch. Tests: test/e2e/watch.test.ts */
import type { Readable } from 'node:stream';
import type { Changes } from '../engine/watch/watch.js';
import { coalesce, EventOrder, openFeed } from '../feed/index.js';
import type { ConnectionFlags } from '../store/http/settings.js';
import { outgoingAgents } from './outgoing.js';

/** Events of one burst go together. */
const EVENT_SETTLE_MS = 100;

export interface ChangeSource {
  changes(signal: AbortSignal): AsyncIterable<Changes>;
  close(): Promise<void>;
}

export interface ChangeMeans {
  env: NodeJS.ProcessEnv;
  stdin: Readable;
  /** Certificates of the command line or the job, for queues. */
  connection: ConnectionFlags;
  /** Reports where events come from, and the end of trouble. */
  say(message: string): void;
  trouble(message: string): void;
}

/** @throws usage, config */
export async function openChanges(
  { events, settle: settleMs = EVENT_SETTLE_MS }: { events: string; settle?: number },
  { env, stdin, connection, say, trouble }: ChangeMeans,
): Promise<ChangeSource> {
  const feed = openFeed(events, { env, stdin, agents: () => outgoingAgents(connection, env) });
  feed.onTrouble = (message) => {
    if (message === undefined) say(`${feed.name}: well again`);
    else trouble(message.startsWith(feed.name) ? message : `${feed.name}: ${message}`);
  };
  say(await feed.start());
  const changes = (signal: AbortSignal) =>
    coalesce(feed.batches(signal), { settleMs, maxWaitMs: 10 * settleMs, order: new EventOrder(), signal });
  return { changes, close: () => feed.close() };
}
