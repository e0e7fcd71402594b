/** A whole run: list, diff, decide, plan, perform, record, delete. Tests: test/engine/shared.test.ts */
import { randomBytes } from 'node:crypto';
import { checkpointsIn } from '../manifest/checkpoints.js';
import type { RunOutcome } from '../manifest/port.js';
import type { CarryPolicy } from '../model/carry-policy.js';
import { isXsyncError, toXsyncError } from '../model/error.js';
import { Census } from './census.js';
import type { Reporter, RunEvent, Summary } from './events.js';
import { InFleet } from './fleet/executor.js';
import { Halt } from './flow/halt.js';
import { limiter } from './flow/queue.js';
import { refuseWithoutTags } from './list/tags.js';
import type { RunOptions } from './options.js';
import { hearFindings, inCommon, type RunPair, viewFor } from './pair.js';
import type { RunContext } from './pass/context.js';
import { refuseBackupInside, refuseOverlap, refuseReferencesInside } from './pass/guard.js';
import { History } from './pass/history.js';
import { listedMs } from './pass/look.js';
import { mirrorOf, shownOf } from './pass/mirror-context.js';
import { Moves, refuseOnePlace } from './pass/moves.js';
import { oddityOf } from './pass/oddity.js';
import { beginPass } from './pass/pass.js';
import { Tagged } from './pass/tagged.js';
import { Traversal } from './pass/traverse.js';
import { CostLimit, uncounted } from './plan/cost-limit.js';
import { Forecast } from './plan/forecast.js';
import { Intents } from './plan/intents.js';
import { routeOf } from './plan/plan.js';
import { Committer } from './record/commit.js';
import { clearSettled, failuresOf, isSeen } from './record/failed.js';
import { Fold, sumHeld } from './record/fold.js';
import { Journal, type JournalOptions } from './record/journal.js';
import { objectOf, Recorder } from './record/recorder.js';
import { summarizer } from './record/summary.js';
import { Shared } from './shared.js';
import { EtagTrust } from './transfer/etag-trust.js';
import { type Executor, InThisThread } from './transfer/executor.js';
import type { Means, Observation } from './transfer/means.js';
import { type Deleting, performDeletes } from './transfer/perform.js';
import { ignoringChecksums } from './transfer/unverified.js';
import { discardUpload } from './transfer/uploads.js';
import { InWorkers } from './workers/executor.js';
import { linkOf } from './workers/link.js';

/** Grace period for calls in flight when a run is interrupted; the whole stop takes less than 5 seconds. */
const GRACE_MS = 4000;
const PAGE = 1000;
const UNTUNED = { partSize: undefined };

export { refuseOverlap } from './pass/guard.js';

/**
 * Copies from the source to the destination, and deletes there, as the policy says. Failures of single objects are in
 * the summary and in the manifest.
 * @param shared with concurrent runs over the same pair; created when absent
 * @throws faults that end the run (bucket missing, credentials, a listing that failed, a full disk, deletes that the
 *   guards refuse), after an `end` event with the summary so far
 */
export function runPair(pair: RunPair, options: RunOptions, report: Reporter, shared?: Shared): Promise<Summary> {
  return run(pair, options, report, shared, async (context) => {
    const { halt, emit, census, mirror } = context;
    await prepareDestination(context);
    if (options.history) return carryHistories(context);
    if (context.moves && !options.dryRun) await refuseOnePlace(pair, halt.signal);
    await new Traversal(context).run();
    flush(context);
    await context.moves?.drain();
    if (halt.stops('plans')) return;
    // The command itself refuses a path that does not exist.
    if (!mirror && census.listed === 0 && pair.source.prefix === '') {
      emit({ type: 'notice', level: 'warn', message: `nothing was found under ${pair.source.text}` });
    }
    // What is not in an inventory may be there.
    if (!isWhole(options) || pair.source.inventory || pair.dest.inventory) return;
    await dropStale(context);
    if (mirror) {
      await dropStale(mirror.back);
      mirror.conflicts.complete();
      pair.reverse?.manifest.clearIntents(context.pass.startedMs);
    }
    // A copy, or a run that does not list the destination, decides nothing about objects gone from the source.
    if (options.deletes && !options.noTraverse) pair.manifest.clearIntents(listedMs(pair, context.pass.startedMs));
  });
}

/** Every version and delete marker, instead of the current objects. */
async function carryHistories(context: RunContext): Promise<void> {
  await new History(context).run();
  const { options, pair, halt } = context;
  if (!halt.stops('plans') && isWhole(options) && !pair.source.inventory) await dropStale(context);
}

/**
 * As `runPair`, over named keys: from change events, the failed list, or a check. Sends a HEAD for each key to both
 * sides, batch by batch. Keys that did not fail are removed from the failed list.
 * @throws as `runPair`
 */
export function runKeys(
  pair: RunPair,
  batches: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
  options: RunOptions,
  report: Reporter,
  shared?: Shared,
): Promise<Summary> {
  const named = { ...options, resume: undefined };
  return run(pair, { ...named, only: [] }, report, shared, async (context) => {
    const listed = new ListedSum(context.emit);
    for await (const only of batches) {
      const sinceMs = Date.now();
      const own = over({ ...context, emit: listed.emit }, { ...named, only });
      if (options.history) await new History(own).runNamed(only);
      else await new Traversal(own).run();
      listed.next();
      flush(context);
      if (context.halt.stops('plans')) return;
      if (options.dryRun) continue;
      clearSettled(pair.manifest, only, sinceMs);
      if (pair.reverse) clearSettled(pair.reverse.manifest, only, sinceMs);
    }
  });
}

/** The context with other options, in both directions. */
function over(context: RunContext, options: RunOptions): RunContext {
  const { mirror } = context;
  return { ...context, options, mirror: mirror && { ...mirror, back: { ...mirror.back, options } } };
}

function flush({ committer, mirror }: RunContext): void {
  committer.flush();
  mirror?.back.committer.flush();
}

/** Each batch counts its own listings; this adds them up for the run. */
class ListedSum {
  readonly #before = { source: 0, destination: 0 };
  readonly #batch = { source: 0, destination: 0 };
  readonly emit: Reporter;

  constructor(emit: Reporter) {
    this.emit = (event) => {
      if (event.type !== 'listed') return emit(event);
      this.#batch[event.side] = event.objects;
      emit({ ...event, objects: this.#before[event.side] + event.objects });
    };
  }

  next(): void {
    for (const side of ['source', 'destination'] as const) {
      this.#before[side] += this.#batch[side];
      this.#batch[side] = 0;
    }
  }
}

async function run(
  bare: RunPair,
  options: RunOptions,
  report: Reporter,
  given: Shared | undefined,
  work: (context: RunContext) => Promise<void>,
): Promise<Summary> {
  const whole: RunPair = { ...bare, backup: options.backup };
  refuseOverlap(whole);
  refuseWithoutTags(whole, options);
  if (whole.backup) refuseBackupInside(whole, whole.backup);
  if (whole.references) refuseReferencesInside(whole, whole.references);
  const shared = given ?? new Shared(whole, options, report);
  const emit = (event: RunEvent): void => {
    context.mirror?.conflicts.hear(event);
    fold.hear(event);
    journal?.hear(event);
    report(event);
    costLimit?.hear(event);
  };
  const view = viewFor(whole, (event) => {
    shared.hear(event);
    emit(event);
  });
  const pair = inCommon(view, readingOf(view, options));
  const { manifest } = pair;
  const startedMs = Date.now();
  const runId = randomBytes(6).toString('hex');
  const pass = beginPass(manifest, options, startedMs);
  // Nothing is known of what the source has received since then.
  if (pair.source.atMs !== undefined) pass.unsettledMs = pair.source.atMs;
  if (pair.source.inventory) pass.unsettledMs = pair.source.inventory.completeUntilMs;
  const before = sumHeld(failuresOf(manifest, pass));
  const census = new Census(before.objects - before.dropped);
  const forecast = new Forecast();
  const fold = new Fold(before, whole.reverse !== undefined);
  const { dryRun } = options;
  const halt = new Halt(GRACE_MS);
  const costLimit = CostLimit.of(pair, options, halt);
  const unhook = hookStops(halt, options);
  const committer = new Committer(manifest, (error) => halt.fail(error));
  const unjoin = shared.claims.join(committer);
  const context = contextOf(pair, options, shared, {
    ...{ startedMs, pass, census, forecast, costLimit, claims: given?.claims, halt, committer, emit },
  });
  const mirror = mirrorOf(context, (other, parts) => contextOf(other, options, shared, parts));
  context.mirror = mirror;
  const unjoinBack = mirror && shared.claims.join(mirror.back.committer);
  const oddity = () => oddityOf(context) ?? (mirror && oddityOf(mirror.back));
  const shown = shownOf(context);
  const summarize = summarizer({ ...{ pair, runId, startedMs, dryRun, fold, oddity }, ...shown });
  const journal = dryRun ? undefined : openJournal(pair, options, { runId, pass, fold, summary: summarize });
  announce(context, runId);
  const unhear = hearFindings(pair, (message) => emit({ type: 'notice', level: 'info', message }));
  shared.enter();
  journal?.start((error) => halt.fail(error));
  try {
    await context.executor.open();
    await work(context);
  } catch (error) {
    const stopped = halt.signal.aborted || (halt.stops('plans') && isXsyncError(error, 'aborted'));
    if (!stopped) halt.fail(error);
  } finally {
    unhook();
    halt.dispose();
    context.executor.close();
    mirror?.back.executor.close();
    mirror?.conflicts.dispose();
  }
  shared.leave();
  committer.close();
  mirror?.back.committer.close();
  unjoin();
  unjoinBack?.();
  unhear();
  pair.source.reading?.end();
  if (mirror) pass.unsettledMs = earlier(pass.unsettledMs, mirror.back.pass.unsettledMs);
  closeJournal(journal, halt);
  const summary = summarize(halt.reason, halt.fatal !== undefined);
  emit({ type: 'end', summary, outcome: outcomeOf(halt), error: errorOf(halt) });
  if (halt.fatal) throw halt.fatal.error;
  return summary;
}

/** How the run reads a source that other pairs read, too. */
function readingOf({ source, dest, workers, fleet }: RunPair, options: RunOptions) {
  const { only, filter, dryRun, history, listedSinceMs = performance.now() } = options;
  const elsewhere = workers !== undefined || fleet !== undefined || dest.store.copyableFrom(source.store);
  return {
    listedSinceMs,
    lists: only === undefined && filter?.files === undefined && history === undefined,
    passes: only === undefined,
    // Versions are read in an order of their own: nobody knows who will want them.
    reads: dryRun || elsewhere ? ('nothing' as const) : history ? ('now' as const) : ('in-order' as const),
  };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

type Parts = Pick<
  RunContext,
  'startedMs' | 'pass' | 'census' | 'forecast' | 'costLimit' | 'claims' | 'halt' | 'committer' | 'emit'
>;

function contextOf(pair: RunPair, options: RunOptions, shared: Shared, parts: Parts): RunContext {
  const { census, halt, committer, emit } = parts;
  const { manifest, settings, single } = pair;
  const { budget, slots } = shared;
  const { dryRun, objectAttempts: attempts, carry, partSize: wanted, largestPart: most } = options;
  const recorder = new Recorder({ manifest, committer, census, emit, settings, single, dryRun });
  const [source, dest] = [pair.source.store, pair.dest.store];
  const limitInspections = limiter(options.checkers);
  const checkpoints = checkpointsIn(manifest);
  const means: Means & Deleting = {
    // A mirror keeps the losers of conflicts beside the winners.
    aside: pair.backup?.side.store ?? (options.policy.mode === 'mirror' ? dest : undefined),
    ...{ source, dest, checkpoints, budget, slots, halt, limitInspections },
    etags: { source: new EtagTrust(), dest: new EtagTrust() },
    refusals: new Map(),
    observe: observer(recorder, limitTransfer(emit, halt, options)),
  };
  // Of its own: an inspection may wait for a delete, which waits for its look.
  const looks = limiter(options.checkers);
  const moves =
    options.move &&
    new Moves({
      ...{
        pair,
        how: options.move,
        filter: options.filter,
        dryRun,
        halt,
        emit,
        recorder,
        committer,
        limitInspections: looks,
      },
      perform: (tickets) =>
        performDeletes(tickets, { ...means, dest: source, keepFolders: true, limitInspections: looks }),
    });
  return {
    ...parts,
    ...{ pair, options, recorder, budget, slots, limitInspections, moves },
    tagged: Tagged.of({ ...parts, pair, options }),
    // Pairs that share what they read cut it in the same way.
    planning: {
      source,
      checkpoints,
      slots: pair.source.reading?.isAlone === false ? UNTUNED : slots,
      dryRun,
      signal: halt.signal,
    },
    intents: new Intents(manifest, parts.startedMs),
    route: routeOf(source, dest, { attempts, carry: carry && withClasses(carry, pair), wanted, most }),
    executor: executorOf(pair, options, shared, { means, recorder, ...parts }),
  };
}

/** With the table of the route, if the config has one. */
function withClasses(carry: CarryPolicy, { classes = carry.classes }: RunPair): CarryPolicy {
  return { ...carry, ...(classes && { classes }) };
}

type Performing = Pick<RunContext, 'recorder' | 'committer' | 'emit'> & { means: Means & Deleting };

function executorOf(pair: RunPair, options: RunOptions, shared: Shared, performing: Performing): Executor {
  const { means } = performing;
  const unverified = options.ignoreChecksum === true;
  const lanes = shared.slots.lanes();
  const fleet = options.dryRun ? undefined : fleetOf(pair, performing, unverified);
  const link = fleet ? undefined : linkOf(pair, shared, means, unverified);
  const heard = unverified ? ignoringChecksums(means) : means;
  if (fleet) return new InFleet(heard, lanes, fleet);
  return link ? new InWorkers(heard, lanes, link) : new InThisThread(heard, lanes);
}

function fleetOf(pair: RunPair, { means, recorder, committer, emit }: Performing, unverified: boolean) {
  const { fleet, source, dest } = pair;
  if (!fleet || !source.elsewhere || !dest.elsewhere) return undefined;
  const { halt, checkpoints, observe } = means;
  return fleet.join({
    ...{ halt, checkpoints, observe, unverified, emit },
    elsewhere: { source: source.elsewhere, dest: dest.elsewhere },
    recovered: (ticket, copied) => recorder.recovered(ticket, copied),
    flush: () => committer.flush(),
  });
}

/** Reports observations; writes those that must survive a kill to the manifest at once. */
function observer(recorder: Recorder, emit: Reporter): Means['observe'] {
  return (observation: Observation) => {
    if (observation.type === 'damaged') recorder.damaged(objectOf(observation.ticket), observation.fault);
    else emit(observation);
  };
}

function announce({ pair, options, pass, emit }: RunContext, runId: string): void {
  const { dryRun } = options;
  const { path: manifest } = pair.manifest;
  const kept = isKept(options) ? undefined : false;
  emit({ type: 'start', runId, source: pair.source.text, destination: pair.dest.text, dryRun, manifest, kept });
  const raised = raisedPartSize(pair, options);
  if (raised) emit({ type: 'notice', level: 'warn', message: raised });
  const without = withoutAcls(pair, options);
  if (without) emit({ type: 'notice', level: 'warn', message: without });
  const free = uncounted(pair, options);
  if (free) emit({ type: 'notice', level: 'warn', message: free });
  for (const { warnings = [] } of [pair.source, pair.dest]) {
    for (const message of warnings) emit({ type: 'notice', level: 'warn', message });
  }
  for (const message of [...pair.source.notes, ...pair.dest.notes]) emit({ type: 'notice', level: 'info', message });
  if (pass.after === undefined) return;
  const since = new Date(pass.startedMs).toISOString();
  const message = `continuing the listing started at ${since} after ${JSON.stringify(pass.after)}; later changes to earlier keys are left for the next run (--no-resume-listing lists everything)`;
  emit({ type: 'notice', level: 'warn', message });
}

/** The run covers every key of the pair, so a key that it did not see is gone. */
function isWhole({ dryRun, filter, tags, bounds, only }: RunOptions): boolean {
  return !dryRun && !filter && !tags && !bounds && !only;
}

/** The runs over changed keys of what never ends are too many to record. */
function isKept({ only, command }: RunOptions): boolean {
  return !(only && ENDLESS.includes(command));
}

const ENDLESS = ['watch', 'serve', 'bridge pull'];

function openJournal(
  pair: RunPair,
  options: RunOptions,
  parts: Pick<JournalOptions, 'runId' | 'pass' | 'fold' | 'summary'>,
): Journal {
  const { command, bounds, only, filter } = options;
  return new Journal(pair.manifest, {
    ...parts,
    command,
    whole: !bounds && !only && !filter?.files,
    kept: isKept(options),
  });
}

/** A manifest that can no longer be written ends the run with that fault, unless it already has one. */
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

function raisedPartSize({ dest }: RunPair, { partSize }: RunOptions): string | undefined {
  const { minPartSize } = dest.store.capabilities;
  if (partSize === undefined || partSize >= minPartSize) return undefined;
  return `--part-size: ${dest.text} accepts no parts smaller than ${minPartSize} bytes; that size is used`;
}

/** They are not asked for, so that no object can tell that it had one. */
function withoutAcls({ source, dest }: RunPair, { carry }: RunOptions): string | undefined {
  const has = ({ store }: RunPair['dest']) => store.capabilities.attributes.acl !== undefined;
  const lost = carry?.acl && carry.fidelity === 'warn' && has(source) && !has(dest);
  return lost ? `--acl: ${dest.text} has no ACLs, so none are copied` : undefined;
}

async function prepareDestination({ pair, options, halt }: RunContext): Promise<void> {
  if (!options.createBucket || options.dryRun) return;
  const { store } = pair.dest;
  try {
    await store.checkBucket({ signal: halt.signal });
  } catch (error) {
    // Credentials that are limited to a prefix, or to writing, cannot see the bucket. If it is missing, the copy says so.
    if (isXsyncError(error, 'access-denied')) return;
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

/** `--max-transfer` with cutoff `hard` aborts calls in flight as soon as the limit is exceeded. */
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
 * Removes what earlier runs left behind. A failed object that did not fail in this pass, and was not held back, leaves
 * the failed list: it was copied, found equal, or is gone from the source. Unfinished uploads are aborted unless their
 * object still has to be copied, because nothing else would remove them from the store.
 */
async function dropStale({ pair, halt, emit, pass, claims, recorder }: RunContext): Promise<void> {
  const { manifest, dest } = pair;
  const observe = observer(recorder, emit);
  const nowMs = Date.now();
  const sinceMs = listedMs(pair, pass.startedMs);
  for (let after: string | undefined; ; ) {
    const rows = manifest.failures(after, PAGE);
    if (rows.length === 0) break;
    after = rows.at(-1)?.key;
    // If the clock was set back meanwhile, the times cannot be compared.
    if (nowMs < pass.startedMs) break;
    manifest.clearFailures(rows.flatMap((row) => (isSeen(row, sinceMs, nowMs) ? [] : [row.key])));
  }
  for (const row of manifest.uploads()) {
    if (manifest.failure(row.key) || claims?.has(row.key)) continue;
    try {
      await discardUpload({ dest: dest.store, halt, observe }, row, dest.prefix + row.key);
      manifest.endUpload(row.key);
    } catch (error) {
      if (halt.signal.aborted) return;
      const message = `an unfinished upload of ${row.key} stays until the next run: ${toXsyncError(error).message}`;
      emit({ type: 'notice', level: 'warn', message });
    }
  }
}
