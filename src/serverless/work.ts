/** Performs what waits in the queue until the call ends, and hands the rest on. Tests: test/e2e/serverless.test.ts */
import type { Callbacks } from '../bridge/pull/callbacks.js';
import { toldOf } from '../bridge/pull/fidelity.js';
import { Performer, type PerformerMeans } from '../bridge/pull/performer.js';
import { callbackOf } from '../bridge/ticket.js';
import type { PullState } from '../manifest/state.js';
import { toXsyncError } from '../model/error.js';
import type { Bare } from '../open/bare.js';
import type { Invocation } from './invocation.js';
import { say } from './log.js';
import { stopAt } from './time.js';
import { callLater } from './worker.js';

/** What a workflow loops on. */
export interface WorkResult {
  /** Nothing waits any more. */
  done: boolean;
  /** Seconds until there is work again; 0: at once. */
  waitSeconds: number;
  /** Tickets of which this call has said what became of them. */
  settled: number;
}

export interface WorkMeans extends Pick<PerformerMeans, 'book' | 'attempts'> {
  state: PullState;
  bare: Bare;
  marginS: number;
  /** Name of the function that goes on; absent: whoever has called. */
  worker?: string;
  /** Tells pushing ends; absent: nobody asks for it. */
  callbacks?: Pick<Callbacks, 'tell'>;
}

/** Tickets of a call at once: what it cannot perform goes back, at a price. */
const BATCH = 32;
/** How long requests may go on once nothing more is started, ms. In the rest of the time, tickets are put back. */
export function graceOf(marginS: number): number {
  return marginS * 750;
}

/** @throws the fault of a run: nothing was decided about its tickets, which are due again */
export async function workOff(means: WorkMeans, invocation: Invocation): Promise<WorkResult> {
  const { state, bare, book, attempts, marginS, worker, callbacks } = means;
  const stop = stopAt(invocation, marginS);
  let settled = 0;
  const performer = new Performer({
    ...{ queue: state.queue, book, attempts },
    run: (keys, report, compares) => bare.run(keys, report, stop, compares),
    report: () => {},
    trouble: (message) => message !== undefined && say('warn', message),
    settled: (key, { id, state: event, fault, verifiedBy }, body) => {
      settled++;
      const url = callbackOf(body);
      if (url !== undefined) callbacks?.tell(url, toldOf({ id, key, state: event, fault }));
      const why = { code: fault?.code, fault: fault?.message };
      say(event === 'dead' ? 'error' : 'info', event, { event, id, key, verifiedBy, ...why });
    },
  });
  await performer.drain(stop, BATCH);
  const result = { ...(await leftIn(state)), settled };
  if (!result.done && result.waitSeconds === 0 && worker !== undefined) await callLater(worker, {}, invocation);
  return result;
}

/** The worker is called if there is one. That it cannot be called loses nothing: a schedule calls it, too. */
export async function wake(worker: string | undefined, invocation: Invocation): Promise<void> {
  if (worker === undefined) return;
  try {
    await callLater(worker, {}, invocation);
  } catch (error) {
    const { message, code } = toXsyncError(error);
    say('warn', message, { code });
  }
}

async function leftIn({ queue }: PullState): Promise<Pick<WorkResult, 'done' | 'waitSeconds'>> {
  if ((await queue.countWaiting(1)) === 0) return { done: true, waitSeconds: 0 };
  const next = await queue.nextMs();
  return { done: false, waitSeconds: Math.max(0, Math.ceil(((next ?? 0) - Date.now()) / 1000)) };
}
