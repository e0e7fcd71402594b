/** One object from plan to manifest, whatever happens on the way: its failure is data, not an exception. */
import type { Manifest } from '../../manifest/port.js';
import { type ErrorCode, toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Limiter } from '../flow/queue.js';
import type { PlanEntry } from '../plan/plan.js';
import type { Committer } from '../record/commit.js';
import { type TransferContext, type TransferResult, Unfinished } from './context.js';
import { transfer } from './transfer.js';
import { abandonUpload } from './uploads.js';

/** Faults that every further object would meet as well: they end the run. */
const FATAL: readonly ErrorCode[] = [
  'bucket-not-found',
  'bad-credentials',
  'expired-credentials',
  'wrong-region',
  'wrong-endpoint',
  'tls',
  'disk-full',
  'acceleration-disabled',
  'config',
  'internal',
];

/** The run cannot go on after this. */
export function endsRun(fault: XsyncError): boolean {
  return FATAL.includes(fault.code);
}

const LISTED_ONLY = "The source lists it and does not give it out: look at it with the source's own tools.";

export interface ObjectContext extends TransferContext {
  manifest: Manifest;
  committer: Committer;
  /** Of both sides, see `RunPair`. */
  settings: string;
  /** Puts what the destination has under the key aside; absent when nothing is to be kept. */
  keepAside?: (key: string) => Promise<void>;
  /** For requests that only look. */
  looks: Limiter;
  /** Tries of the whole object. */
  objectAttempts: number;
  /** The plan for a source that is now another version. */
  replan(entry: PlanEntry, now: ObjectEntry): PlanEntry;
}

/** @param destEtag of what the destination has under the key; absent when it has nothing */
export async function copyObject(context: ObjectContext, planned: PlanEntry, destEtag?: string): Promise<void> {
  const { halt, emit } = context;
  const started = performance.now();
  const replaces = destEtag !== undefined;
  let entry = planned;
  const note = noteOf(context);
  let aside = !replaces || context.keepAside === undefined;
  for (let attempt = 1; ; attempt++) {
    if (halt.stops('objects')) return;
    try {
      if (!aside) await context.keepAside?.(entry.key);
      aside = true;
      await context.committer.intend(entry.key, destEtag ?? '');
      const result = await transfer(context, entry);
      record(context, entry, result);
      const { destEtag: _, ...told } = result;
      const { key, size, sourceMtimeMs } = entry;
      const elapsedMs = performance.now() - started;
      emit({ type: 'copied', key, size, sourceMtimeMs, elapsedMs, replaced: replaces, ...told });
      return;
    } catch (error) {
      if (error instanceof Unfinished || halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) return halt.fail(fault);
      const next = await afterFault(context, entry, fault, { note, mayRetry: attempt < context.objectAttempts });
      if (next instanceof XsyncError) {
        if (next.code === 'object-not-found' && (await hasVanished(context, entry))) {
          emit({ type: 'skip', key: entry.key, size: entry.size, reason: 'vanished' });
          return;
        }
        // Neither this version has arrived nor the one that was planned: the older one's time counts.
        const sourceMtimeMs = Math.min(entry.sourceMtimeMs, planned.sourceMtimeMs);
        note({ ...entry, sourceMtimeMs }, next);
        return tellFailure(context, entry, next, attempt);
      }
      entry = next;
    }
  }
}

/**
 * It was listed and then deleted before it could be read: nothing is left to copy. A store that goes on listing what it
 * does not give out has a fault, which is not passed over. One request.
 */
async function hasVanished(context: ObjectContext, entry: PlanEntry): Promise<boolean> {
  try {
    const { entries } = await context.source.list({ prefix: entry.sourceKey, signal: context.halt.signal });
    if (entries.some(({ key }) => key === entry.sourceKey)) return false;
    await abandonUpload(context, entry);
    return true;
  } catch {
    // Could not be asked: it stays the failure that it was.
    return false;
  }
}

function record(context: ObjectContext, entry: PlanEntry, result: TransferResult): void {
  context.committer.add({
    key: entry.key,
    size: entry.size,
    sourceEtag: entry.sourceEtag,
    sourceMtimeMs: entry.sourceMtimeMs,
    destEtag: result.destEtag,
    verifiedBy: result.verifiedBy,
    ours: true,
    atMs: Date.now(),
  });
}

/**
 * The entry to try next, or the fault that ends the tries. A source that changed is looked up anew; bytes that proved
 * damaged are not built upon.
 */
async function afterFault(
  context: ObjectContext,
  entry: PlanEntry,
  fault: XsyncError,
  { note, mayRetry }: { note: Note; mayRetry: boolean },
): Promise<PlanEntry | XsyncError> {
  const changed = fault.code === 'precondition-failed' || fault.code === 'source-changed';
  if (!changed && fault.class !== 'temporary') return fault;
  try {
    if (fault.code === 'checksum-mismatch') {
      // The destination may hold the damaged bytes now: whatever comes between, the next run must not believe them.
      note(entry, fault);
    }
    if (changed || fault.code === 'checksum-mismatch') await abandonUpload(context, entry);
    if (!mayRetry) return fault;
    if (!changed) return entry;
    const now = await context.source.head(entry.sourceKey, { signal: context.halt.signal });
    context.emit({ type: 'restart', key: entry.key, message: fault.message });
    return context.replan(entry, now);
  } catch (error) {
    return toXsyncError(error);
  }
}

export function recordFailure(context: ObjectContext, entry: PlanEntry, fault: XsyncError, attempts: number): void {
  noteOf(context)(entry, fault);
  tellFailure(context, entry, fault, attempts);
}

/** Leaves the manifest's list as it is: for a dry run, and for what has been noted. */
export function tellFailure(context: ObjectContext, entry: PlanEntry, fault: XsyncError, attempts: number): void {
  const { code, message } = fault;
  const remedy = fault.remedy ?? (code === 'object-not-found' ? LISTED_ONLY : undefined);
  context.emit({
    type: 'failed',
    key: entry.key,
    size: entry.size,
    class: fault.class,
    code,
    message,
    remedy,
    attempts,
  });
}

type Note = (entry: PlanEntry, fault: XsyncError) => void;

/** Puts one object on the failed list; however often it is told of in one run, that is one attempt. */
function noteOf({ manifest, settings }: ObjectContext): Note {
  let again = false;
  return ({ key, size, sourceEtag, sourceMtimeMs }, { class: kind, code, message }) => {
    const lastMs = Date.now();
    manifest.fail({ key, size, sourceEtag, sourceMtimeMs, class: kind, code, message, settings, lastMs }, again);
    again = true;
  };
}
