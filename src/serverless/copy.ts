/**
 * One function with the credentials of both sides: an event at the source, and the object is copied. Events become tickets
 * of the same queue as those of a bridge, so that nothing that was heard is lost. Tests: test/e2e/serverless.test.ts
 */
import { randomInt } from 'node:crypto';
import { keyIn } from '../bridge/push/look.js';
import type { BridgeTicket } from '../bridge/ticket.js';
import { BodyFault } from '../feed/reading.js';
import { ticketId } from '../manifest/queues.js';
import { openBare } from '../open/bare.js';
import { openPullState } from '../open/bridge-state.js';
import type { OpenSide } from '../open/settings.js';
import { type CloudRecord, recordsOf } from './events.js';
import type { Environment, Invocation, Work } from './invocation.js';
import { jobOf } from './job.js';
import { say } from './log.js';
import type { BatchResult } from './push.js';
import { type CopySettings, readCopySettings } from './settings.js';
import { refuseShortCalls } from './time.js';
import { graceOf, type WorkMeans, type WorkResult, workOff } from './work.js';

/** Attempts of a key before it is given up. */
const ATTEMPTS = 10;
/** Both sides are asked what they have: what the event said of the key does not matter. */
const BOOK = { open: () => {}, close: () => {} };

/**
 * Notes what an event is about, and copies until the call ends. Messages of SQS that cannot be read are named in the answer.
 * @throws (init) config; BodyFault: the event cannot be read
 */
export function copyEvents(env: Environment): Work {
  const settings = readCopySettings(env);
  return (event, invocation) =>
    withCopying(settings, invocation, async (means): Promise<WorkResult & BatchResult> => {
      const { keys, failures: batchItemFailures } = keysOf(recordsOf(event), means.bare.source);
      const tickets = [...keys].map(ticketOf);
      await means.state.queue.add(tickets.map((ticket) => ({ ...ticket, body: JSON.stringify(ticket) })));
      return { ...(await workOff(means, invocation)), batchItemFailures };
    });
}

/** @throws BodyFault */
function keysOf(records: readonly CloudRecord[], source: OpenSide) {
  const keys = new Set<string>();
  const failures: BatchResult['batchItemFailures'] = [];
  for (const { messageId, read } of records) {
    try {
      for (const event of read().events) {
        const key = keyIn(source, event);
        if (key !== undefined) keys.add(key);
      }
    } catch (error) {
      if (!(error instanceof BodyFault) || messageId === undefined) throw error;
      say('warn', `a message ${error.message}`);
      failures.push({ itemIdentifier: messageId });
    }
  }
  return { keys, failures };
}

/**
 * Goes on with what was noted, whatever it is called with.
 * @throws (init) config
 */
export function copyNoted(env: Environment): Work {
  const settings = readCopySettings(env);
  return (_event, invocation) => withCopying(settings, invocation, (means) => workOff(means, invocation));
}

/** It has no URL, as that of a delete: both sides are asked before anything is done. */
function ticketOf(key: string): BridgeTicket {
  const revision = Date.now() * 1000 + randomInt(1000);
  return { version: 1, id: ticketId({ key, revision }), key, revision, action: 'delete' };
}

async function withCopying<T>(
  settings: CopySettings,
  invocation: Invocation,
  work: (means: WorkMeans) => Promise<T>,
): Promise<T> {
  const { env } = invocation;
  const { XSYNC_SOURCE: source, XSYNC_MARGIN_SECONDS: marginS, XSYNC_WORKER: worker } = settings;
  refuseShortCalls(invocation, marginS);
  const state = await openPullState(settings.XSYNC_STATE, env);
  try {
    const bare = await openBare(jobOf(settings, source), state, {
      ...{ env, graceMs: graceOf(marginS) },
      openSource: (opener) => opener.side(source, { readOnly: true }),
    });
    try {
      return await work({ state, bare, book: BOOK, attempts: ATTEMPTS, marginS, worker });
    } finally {
      await bare.close();
    }
  } finally {
    await state.close();
  }
}
