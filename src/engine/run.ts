/** A whole run: list, diff, decide, transfer, commit, report. */
import { randomBytes } from 'node:crypto';
import { loadHashes } from '../hash/index.js';
import { isXsyncError, toXsyncError } from '../model/error.js';
import { MemoryBudget } from './budget.js';
import { Committer } from './commit.js';
import { diff } from './diff.js';
import type { Reporter, RunEvent, Side, Summary } from './events.js';
import { refuseOverlap } from './guard.js';
import { Halt } from './halt.js';
import { OutOfOrder } from './list.js';
import type { ObjectContext } from './object.js';
import type { RunOptions, RunPair } from './options.js';
import { planEntry } from './plan.js';
import { Planner } from './planner.js';
import { Tally } from './report.js';
import { Slots } from './slots.js';
import { Streams } from './streams.js';
import { type Pilot, startPilot } from './tune-pilot.js';
import { discardUpload } from './uploads.js';

/** What is in flight when a run is interrupted may go on this long; the whole stop stays within 5 seconds. */
const GRACE_MS = 4000;

/**
 * Copies what differs. Failures of single objects are in the summary and in the manifest.
 * @throws faults that end the run (bucket missing, credentials, a listing that failed, a full disk), after an `end`
 *   event that sums up what was done until then
 */
export async function runCopy(pair: RunPair, options: RunOptions, report: Reporter): Promise<Summary> {
  refuseOverlap(pair);
  await loadHashes();
  const runId = randomBytes(6).toString('hex');
  const startedMs = Date.now();
  const tally = new Tally(pair, runId, options.dryRun);
  const emit = (event: RunEvent): void => {
    tally.add(event);
    pilot?.hear(event);
    report(event);
  };
  const near = { source: pair.source.store.capabilities.local, dest: pair.dest.store.capabilities.local };
  const slots = new Slots(options, near);
  let pilot: Pilot | undefined;
  const halt = new Halt(GRACE_MS);
  const unhook = hookStops(halt, options);
  const committer = new Committer(pair.manifest, (error) => halt.fail(error));
  const context: ObjectContext = {
    source: pair.source.store,
    dest: pair.dest.store,
    checkpoints: pair.manifest,
    manifest: pair.manifest,
    budget: new MemoryBudget(options.maxMemory),
    committer,
    slots,
    attempts: options.objectAttempts,
    objectAttempts: options.objectAttempts,
    storageClass: options.storageClass,
    replan: (entry, now) => planEntry({ ...now, key: entry.key }, entry.reason, pair, options),
    halt,
    emit: limitTransfer(emit, halt, options),
  };
  for (const side of ['source', 'dest'] as const) {
    pair[side].onRetry = (event) => emit({ type: 'retry', side: side === 'dest' ? 'destination' : side, ...event });
  }
  emit({
    type: 'start',
    runId,
    source: pair.source.text,
    destination: pair.dest.text,
    dryRun: options.dryRun,
    manifest: pair.manifest.path,
  });
  const raised = raisedPartSize(pair, options);
  if (raised) emit({ type: 'notice', level: 'warn', message: raised });
  for (const message of [...pair.source.notes, ...pair.dest.notes]) emit({ type: 'notice', level: 'info', message });
  pilot = startPilot(pair, options, slots, emit);
  try {
    await prepareDestination(pair, options, halt);
    await traverse(pair, options, context, tally);
    committer.flush();
    // A path that leads to nothing is the command's to refuse.
    if (!halt.stops('plans') && tally.nothingListed && pair.source.prefix === '') {
      emit({ type: 'notice', level: 'warn', message: `nothing was found under ${pair.source.text}` });
    }
    if (!halt.stops('plans') && !options.dryRun && !options.filter) await dropStale(context, pair, startedMs);
  } catch (error) {
    const stopped = halt.signal.aborted || (halt.stops('plans') && isXsyncError(error, 'aborted'));
    if (!stopped) halt.fail(error);
  } finally {
    unhook();
    halt.dispose();
  }
  pilot?.land();
  committer.close();
  const summary = tally.summary(halt.reason);
  emit({ type: 'end', summary });
  if (halt.fatal) throw halt.fatal.error;
  return summary;
}

/** Lists and diffs; a side found to be out of order is sorted on disk and the diff starts again. */
async function traverse(pair: RunPair, options: RunOptions, context: ObjectContext, tally: Tally): Promise<void> {
  const streams = new Streams(pair, options, context, tally);
  try {
    const planner = new Planner(pair, options, context, tally);
    for (;;) {
      try {
        const { source, dest, rows } = streams.open();
        for await (const batch of diff(source, dest, rows)) {
          for (const triple of batch) {
            if (context.halt.stops('plans')) break;
            await planner.take(triple);
          }
          if (context.halt.stops('plans')) break;
        }
        return;
      } catch (error) {
        if (!(error instanceof OutOfOrder)) throw error;
        streams.sortFromNowOn(error);
      } finally {
        await planner.drain();
      }
      context.committer.flush();
      tally.resetDiff();
      planner.startAgain();
    }
  } finally {
    streams.dispose();
  }
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
  const { maxDurationMs, cutoffMode } = options;
  const hard = cutoffMode === 'hard';
  const timer =
    maxDurationMs === undefined
      ? undefined
      : setTimeout(() => halt.stop('max-duration', hard ? 'calls' : 'objects'), maxDurationMs).unref();
  return () => {
    clearTimeout(timer);
    options.stop.removeEventListener('abort', onStop);
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
 * What earlier runs left of objects that are no longer to be copied. A failure that was not repeated is over: the
 * object was copied, found equal or is gone from the source. Only what failed in this run keeps its unfinished upload;
 * any other would stay at the store for ever.
 */
async function dropStale(context: ObjectContext, pair: RunPair, startedMs: number): Promise<void> {
  const { manifest, halt, emit } = context;
  const failed = new Set<string>();
  const over: string[] = [];
  for (const { key, lastMs } of manifest.failures()) {
    if (lastMs >= startedMs) failed.add(key);
    else over.push(key);
  }
  manifest.clearFailures(over);
  for (const row of manifest.uploads().filter(({ key }) => !failed.has(key))) {
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
