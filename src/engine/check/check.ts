/** Compares two sides without copying, with the same streams and the same decision table as a copy. */
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { type CheckPolicy, decide, type Finding } from '../decide/decide.js';
import { destState, evidenceOf, sourceState } from '../decide/evidence.js';
import { exclusionOf, isNoObject } from '../decide/exclusion.js';
import { compareLinks, linksAt } from '../decide/links.js';
import type { Both } from '../decide/reading.js';
import { MemoryBudget } from '../flow/budget.js';
import { endsRun, Halt } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import { type CompareOptions, comparePair } from '../list/compare.js';
import type { Triple } from '../list/diff.js';
import { readTagExclusion, refuseWithoutTags } from '../list/tags.js';
import type { RunOptions } from '../options.js';
import { hearFindings, type RunPair, viewFor } from '../pair.js';
import { beingWritten, isChange } from '../plan/fault.js';
import { LeftOut } from '../record/left-out.js';
import { type ContentContext, inspectContent } from './content.js';
import { type CheckEvent, CheckFold, type CheckReporter, type CheckSummary } from './findings.js';
import { HistoryCheck } from './histories.js';

/** Bytes. */
export interface CheckOptions extends CompareOptions, Omit<CheckPolicy, 'mode'> {
  /** Bodies held in memory at once. */
  maxMemory: number;
  /** Compare every version and delete marker, instead of the current objects. */
  versions?: boolean;
  /** Objects of the source that it leaves out need not be at the destination. */
  tags?: RunOptions['tags'];
  stop: AbortSignal;
}

/**
 * Compares the two sides. Writes nothing to either store, nor rows to the manifest.
 * @throws faults that end the check: a listing that failed, a bucket that is missing, credentials; an error of a single
 *   object is in the summary
 */
export async function runCheck(bare: RunPair, options: CheckOptions, report: CheckReporter): Promise<CheckSummary> {
  refuseWithoutTags(bare, options);
  const halt = new Halt(0);
  const stop = (): void => halt.stop('interrupted', 'calls');
  if (options.stop.aborted) stop();
  options.stop.addEventListener('abort', stop);
  const pair = viewFor(bare, (event) => void emit(event));
  const fold = new CheckFold(pair, options.compare === 'size-only');
  const emit: CheckReporter = (event) => {
    fold.hear(event);
    return report(event);
  };
  for (const message of pair.source.warnings ?? []) emit({ type: 'notice', level: 'warn', message });
  for (const message of [...pair.source.notes, ...pair.dest.notes]) emit({ type: 'notice', level: 'info', message });
  const unhear = hearFindings(pair, (message) => void emit({ type: 'notice', level: 'info', message }));
  try {
    await new Check(pair, options, halt, emit).run();
  } catch (error) {
    if (!halt.signal.aborted) halt.fail(error);
  } finally {
    unhear();
    options.stop.removeEventListener('abort', stop);
    halt.dispose();
  }
  if (halt.fatal) throw halt.fatal.error;
  return fold.summary(halt.reason);
}

class Check {
  readonly #pair: RunPair;
  readonly #options: CheckOptions;
  readonly #policy: CheckPolicy;
  readonly #halt: Halt;
  readonly #report: CheckReporter;
  readonly #inspections: Queue;
  readonly #taggings: Queue;
  readonly #context: ContentContext;
  readonly #leftOut = new LeftOut();

  constructor(pair: RunPair, options: CheckOptions, halt: Halt, report: CheckReporter) {
    this.#pair = pair;
    this.#options = options;
    this.#policy = { mode: 'check', compare: options.compare, oneWay: options.oneWay };
    this.#halt = halt;
    this.#report = report;
    this.#inspections = new Queue(limiter(options.checkers));
    this.#taggings = new Queue(limiter(options.checkers));
    this.#context = {
      source: pair.source.store,
      dest: pair.dest.store,
      budget: new MemoryBudget(options.maxMemory),
      readUnproven: options.compare === 'checksum',
      signal: halt.signal,
    };
  }

  async run(): Promise<void> {
    if (this.#options.versions) return this.#checkHistories();
    const report = (event: CheckEvent): void => void this.#report(event);
    const failed = (key: string, fault: XsyncError, operation?: 'list'): void => {
      this.#fail(key, 0, fault, operation)?.catch((error: unknown) => this.#halt.fail(error));
    };
    try {
      for await (const triples of comparePair(this.#pair, this.#options, { halt: this.#halt, report, failed })) {
        for (const triple of triples) {
          if (this.#halt.stops('plans')) return;
          // Most keys need no inspection, and then there is nothing to await.
          const busy = this.#take(triple);
          if (busy) await busy;
        }
      }
      if (this.#pair.links === 'skip') this.#leftOut.ignoreLinks();
      for (const message of this.#leftOut.messages(this.#pair.dest.store.capabilities.links !== undefined))
        report({ type: 'notice', level: 'warn', message });
    } finally {
      await this.#inspections.drain();
      await this.#taggings.drain();
    }
  }

  #checkHistories(): Promise<void> {
    const shared = { pair: this.#pair, options: this.#options, halt: this.#halt, report: this.#report };
    return new HistoryCheck({ ...shared, inspections: this.#inspections, content: this.#context }).run();
  }

  /** The promise waits while too many keys are being inspected, or while the reporter is busy. */
  #take(triple: Triple): Promise<void> | undefined {
    const { key, source, dest } = triple;
    const object = source ?? dest;
    // Only the manifest has the key.
    if (!object) return undefined;
    const excluded = exclusionOf(this.#pair, this.#options, key, object);
    if (excluded) {
      if (excluded.reason === 'unreadable' && isNoObject(object, this.#pair.links)) this.#leftOut.add(object);
      return this.#report({ type: 'skip', key, size: object.size, ...excluded });
    }
    const { oneWay, only, filter } = this.#options;
    // What only the destination has is not asked for; the HEAD of a named key was reported when it failed.
    if (!source && (dest?.fault ? oneWay : triple.sourceUnlisted && (only ?? filter?.files))) return undefined;
    const fault = unseen(triple);
    if (fault) return this.#fail(key, object.size, fault);
    const decision = decide(this.#policy, sourceState(triple), destState(triple, true), evidenceOf(triple));
    if (decision.action === 'inspect')
      return this.#inspect(triple, decision.reason === 'bytes' ? 'bytes' : 'checksums');
    if (decision.action !== 'report') return undefined;
    const { finding } = decision;
    // Inspect when listed checksums differ: an ETag that looks like an MD5 may not be one.
    if (finding.verdict === 'differ' && finding.by === 'checksum') return this.#inspect(triple, 'checksums');
    return this.#found(triple, object.size, finding);
  }

  #inspect(triple: Triple, how: 'checksums' | 'bytes'): Promise<void> | undefined {
    const { key, source, dest } = triple;
    if (!source || !dest) return undefined;
    const both = { source: this.#full(source, 'source'), dest: this.#full(dest, 'dest') };
    return this.#inspections.push(async () => {
      if (this.#halt.stops('objects')) return;
      const finding = await this.#inspectContent(key, both, how);
      if (!finding || this.#halt.signal.aborted) return;
      const reported =
        'verdict' in finding ? this.#found(triple, source.size, finding) : this.#fail(key, source.size, finding);
      await reported?.catch((error: unknown) => this.#halt.fail(error));
    });
  }

  async #inspectContent(
    key: string,
    both: Both,
    how: 'checksums' | 'bytes',
  ): Promise<Finding | XsyncError | undefined> {
    try {
      const links = await this.#compareLinks(key, both);
      if (links) return links;
      return await inspectContent(this.#context, both, how);
    } catch (error) {
      const fault = toXsyncError(error);
      if (endsRun(fault)) this.#halt.fail(fault);
      return isChange(fault) ? beingWritten(fault) : fault;
    }
  }

  /** Undefined: neither is a link. */
  async #compareLinks(key: string, { source, dest }: Both): Promise<Finding | undefined> {
    if (source.special !== 'symlink' && dest.special !== 'symlink') return undefined;
    const keys = { key, sourceKey: source.key, destKey: dest.key };
    const found = source.special === dest.special ? await linksAt(this.#context, keys) : {};
    const same = compareLinks(keys, found, { update: false, modifyWindowMs: 0 }) === 'same';
    return { verdict: same ? 'match' : 'differ', by: 'bytes' };
  }

  #full(entry: ObjectEntry, side: 'source' | 'dest'): ObjectEntry {
    return { ...entry, key: this.#pair[side].prefix + entry.key };
  }

  #found({ key, source }: Triple, size: number, finding: Finding): Promise<void> | undefined {
    if (finding.verdict === 'missing-on-src' && this.#options.oneWay) return undefined;
    const wanting = finding.verdict === 'missing-on-dst' || finding.verdict === 'differ';
    if (wanting && source && this.#options.tags) return this.#foundByTags(this.#options.tags, source, finding);
    return this.#report({ type: 'checked', key, size, ...finding });
  }

  /** A request of its own, which waits for no inspection: it may be part of one. */
  #foundByTags(
    tags: NonNullable<RunOptions['tags']>,
    source: ObjectEntry,
    finding: Finding,
  ): Promise<void> | undefined {
    const { key, size } = source;
    return this.#taggings.push(async () => {
      if (this.#halt.stops('objects')) return;
      try {
        const detail = await readTagExclusion(this.#pair.source, source, tags, this.#halt.signal);
        if (detail === undefined) await this.#report({ type: 'checked', key, size, ...finding });
        else await this.#report({ type: 'skip', key, size, reason: 'filtered', detail });
      } catch (error) {
        const fault = toXsyncError(error);
        if (endsRun(fault)) this.#halt.fail(fault);
        else await this.#fail(key, size, fault);
      }
    });
  }

  #fail(key: string, size: number, fault: XsyncError, operation?: 'list'): Promise<void> | undefined {
    const { class: kind, code, message, remedy } = fault;
    const event: CheckEvent = { type: 'failed', key, size, class: kind, code, message, attempts: 1 };
    return this.#report({ ...event, ...(remedy !== undefined && { remedy }), ...(operation && { operation }) });
  }
}

/** Why the key cannot be compared, if a side could not see it. */
function unseen({ source, dest, sourceUnlisted, destUnlisted }: Triple): XsyncError | undefined {
  const fault = source?.fault ?? dest?.fault;
  if (fault || !(sourceUnlisted || destUnlisted)) return fault;
  const side = sourceUnlisted ? 'source' : 'destination';
  return new XsyncError('not-readable', `not compared, because the ${side} could not list its folder`);
}
