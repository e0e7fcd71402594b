/**
 * One object: plans it when its turn comes, performs the ticket, and records the outcome.
 * Tests: test/engine/copy.test.ts
 */
import type { Fault, Outcome } from '../../model/outcome.js';
import type { BackupTarget } from '../../model/ticket.js';
import { finalTicket } from '../plan/final.js';
import type { Subject } from '../plan/plan.js';
import { failedObject } from '../record/recorder.js';
import type { Perform } from '../transfer/executor.js';
import { leaveRefused } from './archives.js';
import type { RunContext } from './context.js';

/**
 * Copies one object, with a new ticket whenever its source changes meanwhile. Never rejects: a fault that ends the run
 * goes to the halt.
 * @returns whether the object was copied
 */
export async function copyObject(context: RunContext, planned: Subject, perform: Perform): Promise<boolean> {
  const { halt, emit } = context;
  const started = performance.now();
  let subject = planned;
  let tried = 0;
  try {
    while (!halt.stops('objects')) {
      const outcome = await performOnce(context, { subject, tried, started }, perform);
      if (outcome.kind !== 'changed') return await recordOutcome(context, { subject, planned, tried }, outcome);
      emit({ type: 'restart', key: subject.key, message: outcome.message });
      tried += outcome.attempts;
      const expects = subject.firm ? subject.expects : undefined;
      subject = { ...subject, ...outcome.now, twin: undefined, expects, backup: ofOlder(subject) };
    }
  } catch (error) {
    if (!halt.signal.aborted) halt.fail(error);
  }
  return false;
}

const OVERTAKEN: Fault = {
  class: 'temporary',
  code: 'precondition-failed',
  message: 'somebody else has written it at the destination since it was listed, so it was not overwritten',
  remedy: 'Run again: the next run compares both sides anew.',
};

/** The attempt that has just ended may have replaced the object already, and so may not back up its own work. */
function ofOlder({ backup, replaces = '' }: Subject): BackupTarget | undefined {
  return backup && { ...backup, before: backup.before ?? replaces };
}

interface Trial {
  subject: Subject;
  tried: number;
  /** As `performance.now()`. */
  started: number;
}

/** One version: plans the ticket, notes the intent, copies, and records the copy at once. */
async function performOnce(context: RunContext, trial: Trial, perform: Perform): Promise<Outcome> {
  const { twin } = trial.subject;
  if (!twin) return performPlanned(context, trial, perform);
  const copied = await performPlanned({ ...context, route: { ...context.route, attempts: 1 } }, trial, perform);
  if (copied.kind !== 'failed') return copied;
  // An attempt that did not fail before it wrote may have left something there.
  const { firm, expects } = trial.subject;
  const stands = firm || copied.fault.code === 'unsupported';
  const subject = { ...trial.subject, twin: undefined, expects: stands ? expects : undefined };
  return performPlanned(context, { ...trial, subject }, perform);
}

async function performPlanned(
  { planning, route, recorder, intents, moves }: RunContext,
  { subject, tried, started }: Trial,
  perform: Perform,
): Promise<Outcome> {
  const left = tried === 0 ? route : { ...route, attempts: route.attempts - tried };
  const ticket = await finalTicket(planning, left, subject);
  if ('kind' in ticket) return ticket;
  const noting = intents.add(ticket);
  if (noting) await noting;
  const outcome = await perform(ticket);
  if (outcome.kind !== 'copied') return outcome;
  recorder.copied(ticket, outcome, performance.now() - started);
  const { size, etag } = ticket.source;
  await moves?.copied({ key: ticket.key, size, etag }, outcome.verifiedBy);
  return outcome;
}

async function recordOutcome(
  context: RunContext,
  { subject, planned, tried }: { subject: Subject; planned: Subject; tried: number },
  outcome: Outcome,
): Promise<boolean> {
  const { emit, pair, pass, recorder, conflicts } = context;
  const { key, size } = subject;
  if (outcome.kind === 'vanished') {
    // It may have been deleted since the inventory was taken.
    if (!pair.source.inventory)
      pass.oddity ??= `${JSON.stringify(key)} was listed at the source, and was not there when it was read`;
    emit({ type: 'skip', key, size, reason: 'vanished' });
  }
  if (outcome.kind === 'copied') return true;
  // Neither this version nor the planned one arrived: the older one's time counts.
  const mtimeMs = Math.min(subject.mtimeMs, planned.mtimeMs);
  const object = failedObject({ ...subject, mtimeMs });
  if (outcome.kind === 'overtaken') recorder.failed(object, OVERTAKEN, tried + 1);
  if (outcome.kind === 'failed') {
    if (conflicts?.takes(object, outcome.fault)) return false;
    if (outcome.fault.code === 'object-archived') await leaveRefused(context, { ...subject, mtimeMs });
    else recorder.failed(object, outcome.fault, tried + outcome.attempts);
  }
  return false;
}
