/** A whole run: list, diff, decide, transfer, commit, delete, report. */
import { randomBytes } from 'node:crypto';
import { loadHashes } from '../hash/index.js';
import type { RunOutcome } from '../manifest/port.js';
import { isXsyncError, toXsyncError } from '../model/error.js';
import type { Reporter, RunEvent, Side, Summary } from './events.js';
import { MemoryBudget } from './flow/budget.js';
import { Halt } from './flow/halt.js';
import { limiter } from './flow/queue.js';
import type { RunOptions, RunPair } from './options.js';
import { refuseBackupInside, refuseOverlap } from './pass/guard.js';
import { beginPass, type Pass } from './pass/pass.js';
import { Traversal } from './pass/traverse.js';
import { planEntry } from './plan/plan.js';
import { Committer } from './record/commit.js';
import { failuresOf } from './record/failed.js';
import { Journal } from './record/journal.js';
import { Tally } from './record/summary.js';
import { keepAside } from './transfer/aside.js';
import type { ObjectContext } from './transfer/perform.js';
import { Slots } from './transfer/slots.js';
import { discardUpload } from './transfer/uploads.js';
import { type Pilot, startPilot } from './tune/pilot.js';

/** What is in flight when a run is interrupted may go on this long; the whole stop stays within 5 seconds. */
const GRACE_MS = 4000;
const PAGE = 1000;

/**
 * Makes the destination have what the source has, as the policy says. Failures of single objects are in the summary
 * and in the manifest.
 * @throws faults that end the run (bucket missing, credentials, a listing that failed, a full disk, deletes that the
 *   guards refuse), after an `end` event that sums up what was done until then
 */
export async function runPair(pair: RunPair, options: RunOptions, report: Reporter): Promise<Summary> {
  refuseOverlap(pair);
  if (options.backup) refuseBackupInside(pair, options.backup);
  await loadHashes();
  const runId = randomBytes(6).toString('hex');
  const pass = beginPass(pair.manifest, options, Date.now());
  const tally = new Tally(pair, runId, options.dryRun, failuresOf(pair.manifest, pass));
  const journal = options.dryRun ? undefined : openJournal(pair, options, pass, runId, tally);
  const emit = (event: RunEvent): void => {
    tally.add(event);
    pilot?.hear(event);
    journal?.hear(event);
    report(event);
  };
  const near = { source: pair.source.store.capabilities.local, dest: pair.dest.store.capabilities.local };
  const slots = new Slots(options, near);
  let pilot: Pilot | undefined;
  const halt = new Halt(GRACE_MS);
  const unhook = hookStops(halt, options);
  const committer = new Committer(pair.manifest, (error) => halt.fail(error));
  const leave = options.claims?.join(committer);
  const context = contextOf(pair, options, { slots, halt, committer, emit });
  for (const side of ['source', 'dest'] as const) {
    pair[side].onRetry = (event) => emit({ type: 'retry', side: side === 'dest' ? 'destination' : side, ...event });
  }
  announce(pair, options, runId, pass, emit);
  pilot = startPilot(pair, options, slots, emit);
  journal?.start((error) => halt.fail(error));
  try {
    await prepareDestination(pair, options, halt);
    await new Traversal(pair, options, context, tally, pass).run();
    committer.flush();
    // A path that leads to nothing is the command's to refuse.
    if (!halt.stops('plans') && tally.nothingListed && pair.source.prefix === '' && !options.only) {
      emit({ type: 'notice', level: 'warn', message: `nothing was found under ${pair.source.text}` });
    }
    if (!halt.stops('plans') && isWhole(options)) {
      await dropStale(context, pair, pass.startedMs, options.claims);
      // A copy decides nothing about what is gone from the source, nor does who does not see what is there.
      if (options.deletes && !options.noTraverse) pair.manifest.clearIntents(pass.startedMs);
    }
  } catch (error) {
    const stopped = halt.signal.aborted || (halt.stops('plans') && isXsyncError(error, 'aborted'));
    if (!stopped) halt.fail(error);
  } finally {
    unhook();
    halt.dispose();
  }
  pilot?.land();
  committer.close();
  leave?.();
  closeJournal(journal, halt);
  const summary = tally.summary(halt.reason);
  emit({ type: 'end', summary, outcome: outcomeOf(halt), error: errorOf(halt) });
  if (halt.fatal) throw halt.fatal.error;
  return summary;
}

type Parts = Pick<ObjectContext, 'slots' | 'halt' | 'committer' | 'emit'>;

function contextOf(pair: RunPair, options: RunOptions, { emit, ...parts }: Parts): ObjectContext {
  const { backup } = options;
  const context: ObjectContext = {
    ...parts,
    source: pair.source.store,
    dest: pair.dest.store,
    checkpoints: pair.manifest,
    manifest: pair.manifest,
    settings: pair.settings,
    budget: options.budget ?? new MemoryBudget(options.maxMemory),
    looks: limiter(options.checkers),
    attempts: options.objectAttempts,
    objectAttempts: options.objectAttempts,
    storageClass: options.storageClass,
    keepAside: backup && ((key) => keepAside(context, pair, options, backup, key)),
    replan: (entry, now) => planEntry({ ...now, key: entry.key }, entry.reason, pair, options),
    emit: limitTransfer(emit, parts.halt, options),
  };
  return context;
}

function announce(pair: RunPair, options: RunOptions, runId: string, pass: Pass, emit: Reporter): void {
  const { dryRun } = options;
  const { path: manifest } = pair.manifest;
  const kept = isKept(options) ? undefined : false;
  emit({ type: 'start', runId, source: pair.source.text, destination: pair.dest.text, dryRun, manifest, kept });
  const raised = raisedPartSize(pair, options);
  if (raised) emit({ type: 'notice', level: 'warn', message: raised });
  for (const message of [...pair.source.notes, ...pair.dest.notes]) emit({ type: 'notice', level: 'info', message });
  if (pass.after === undefined) return;
  const since = new Date(pass.startedMs).toISOString();
  const message = `the listing begun at ${since} goes on after ${JSON.stringify(pass.after)}; what has changed before that since then is for the next run (--no-resume-listing lists everything)`;
  emit({ type: 'notice', level: 'warn', message });
}

/** Every key of the pair is looked at, so that what was not seen is gone. */
function isWhole({ dryRun, filter, bounds, only }: RunOptions): boolean {
  return !dryRun && !filter && !bounds && !only;
}

/** A watch makes a run of each few keys that change events name. */
function isKept({ only, command }: RunOptions): boolean {
  return !(only && command === 'watch');
}

function openJournal(pair: RunPair, options: RunOptions, pass: Pass, runId: string, tally: Tally): Journal {
  const { command, bounds, only, filter } = options;
  return new Journal(pair.manifest, {
    runId,
    command,
    pass,
    whole: !bounds && !only && !filter?.files,
    kept: isKept(options),
    summary: () => tally.summary(undefined),
  });
}

/** A manifest that cannot be written any more is a fault of the run, unless it has a worse one. */
function closeJournal(journal: Journal | undefined, halt: Halt): void {
  try {
    journal?.end(outcomeOf(halt), errorOf(halt));
  } catch (error) {
    halt.fail(error);
  }
}

function outcomeOf(halt: Halt): Exclude<RunOutcome, 'running'> {
  if (halt.fatal) return isXsyncError(halt.fatal.error, 'guard') ? 'guarded' : 'broken';
  return halt.reason ? 'stopped' : 'complete';
}

function errorOf({ fatal }: Halt): { code: string; message: string } | undefined {
  if (!fatal) return undefined;
  const { code, message } = toXsyncError(fatal.error);
  return { code, message };
}

/** A person who asked for smaller parts than the destination takes is told. */
function raisedPartSize({ dest }: RunPair, { partSize }: RunOptions): string | undefined {
  const { minPartSize } = dest.store.capabilities;
  if (partSize === undefined || partSize >= minPartSize) return undefined;
  return `--part-size: ${dest.text} takes no parts below ${minPartSize} bytes; that size is used`;
}

async function prepareDestination(pair: RunPair, options: RunOptions, halt: Halt): Promise<void> {
  if (!options.createBucket || options.dryRun) return;
  const { store } = pair.dest;
  try {
    await store.checkBucket({ signal: halt.signal });
  } catch (error) {
    if (!isXsyncError(error, 'bucket-not-found')) throw error;
    await store.createBucket({ signal: halt.signal });
  }
}

function hookStops(halt: Halt, options: RunOptions): () => void {
  const onStop = (): void => halt.stop('interrupted', 'parts');
  if (options.stop.aborted) onStop();
  options.stop.addEventListener('abort', onStop);
  const onDrain = (): void => halt.stop('interrupted', 'objects');
  if (options.drain?.aborted) onDrain();
  options.drain?.addEventListener('abort', onDrain);
  const { maxDurationMs, cutoffMode } = options;
  const hard = cutoffMode === 'hard';
  const timer =
    maxDurationMs === undefined
      ? undefined
      : setTimeout(() => halt.stop('max-duration', hard ? 'calls' : 'objects'), maxDurationMs).unref();
  return () => {
    clearTimeout(timer);
    options.stop.removeEventListener('abort', onStop);
    options.drain?.removeEventListener('abort', onDrain);
  };
}

/** `--max-transfer` with cutoff `hard` aborts what is in flight as soon as the bytes are exceeded. */
function limitTransfer(emit: Reporter, halt: Halt, { maxTransfer, cutoffMode }: RunOptions): Reporter {
  if (maxTransfer === undefined || cutoffMode !== 'hard') return emit;
  let moved = 0;
  return (event) => {
    emit(event);
    if (event.type !== 'progress') return;
    moved += event.bytes;
    if (moved > maxTransfer) halt.stop('max-transfer', 'calls');
  };
}

/**
 * What earlier runs left of objects that are no longer to be copied. A failed object that no listing of this pass showed
 * as failed or held back is over: it was copied, found equal or is gone from the source. Only what is still to be copied
 * keeps its unfinished upload; any other would stay at the store for ever.
 */
async function dropStale(
  context: ObjectContext,
  pair: RunPair,
  passStartedMs: number,
  claims: RunOptions['claims'],
): Promise<void> {
  const { manifest, halt, emit } = context;
  for (let after: string | undefined; ; ) {
    const rows = manifest.failures(after, PAGE);
    if (rows.length === 0) break;
    after = rows.at(-1)?.key;
    manifest.clearFailures(rows.flatMap(({ key, seenMs }) => (seenMs < passStartedMs ? [key] : [])));
  }
  for (const row of manifest.uploads()) {
    if (manifest.failure(row.key) || claims?.has(row.key)) continue;
    try {
      await discardUpload(context, row, pair.dest.prefix + row.key);
      manifest.endUpload(row.key);
    } catch (error) {
      if (halt.signal.aborted) return;
      const message = `an unfinished upload of ${row.key} stays until the next run: ${toXsyncError(error).message}`;
      emit({ type: 'notice', level: 'warn', message });
    }
  }
}

export type { Side };
