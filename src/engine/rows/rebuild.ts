/** Builds a manifest from what both sides already have, by the rules with which a copy finds objects equal. */
import { toXsyncError, type XsyncError } from '../../model/error.js';
import { type CopyPolicy, decide, type SkipReason } from '../decide/decide.js';
import { evidenceOf } from '../decide/evidence.js';
import { exclusionOf } from '../decide/exclusion.js';
import { inspect } from '../decide/inspect.js';
import type { Reporter } from '../events.js';
import { MemoryBudget } from '../flow/budget.js';
import type { Halt } from '../flow/halt.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import { type CompareOptions, comparePair } from '../list/compare.js';
import type { Triple } from '../list/diff.js';
import type { RunPair } from '../pair.js';
import { adoptedRow } from '../record/adopted.js';
import { Committer } from '../record/commit.js';
import { withHalt } from './verify.js';

/** Bytes. */
export interface AdoptOptions extends CompareOptions {
  /** Mark the rows as xsync's own, so that sync may delete their objects. */
  claim: boolean;
  maxMemory: number;
  stop: AbortSignal;
}

export interface AdoptSummary {
  adopted: { objects: number; bytes: number; by: Partial<Record<SkipReason, number>> };
  /** On both sides but not found equal: the next run copies them. */
  different: number;
  onlySource: number;
  onlyDestination: number;
  failed: number;
  listed: { source: number; destination: number };
  stopped: boolean;
}

const COMPARING: CopyPolicy = {
  mode: 'copy',
  compare: 'default',
  ignoreExisting: false,
  update: false,
  immutable: false,
  modifyWindowMs: 1,
};

/**
 * Writes a row for each object that is the same on both sides. Copies nothing.
 * @throws faults that end a run
 */
export async function adoptEqual(pair: RunPair, options: AdoptOptions, report: Reporter): Promise<AdoptSummary> {
  const adoption = new Adoption(pair, options, report);
  await withHalt(options.stop, (halt) => adoption.run(halt));
  return { ...adoption.summary, stopped: options.stop.aborted };
}

class Adoption {
  readonly #pair: RunPair;
  readonly #options: AdoptOptions;
  readonly #report: Reporter;
  readonly #inspections: Queue;
  readonly #budget: MemoryBudget;
  readonly summary: Omit<AdoptSummary, 'stopped'> = {
    adopted: { objects: 0, bytes: 0, by: {} },
    different: 0,
    onlySource: 0,
    onlyDestination: 0,
    failed: 0,
    listed: { source: 0, destination: 0 },
  };

  constructor(pair: RunPair, options: AdoptOptions, report: Reporter) {
    this.#pair = pair;
    this.#options = options;
    this.#report = report;
    this.#inspections = new Queue(limiter(options.checkers));
    this.#budget = new MemoryBudget(options.maxMemory);
  }

  async run(halt: Halt): Promise<void> {
    const committer = new Committer(this.#pair.manifest, (error) => halt.fail(error));
    const onEvent: Reporter = (event) => {
      if (event.type === 'listed') this.summary.listed[event.side] = event.objects;
      this.#report(event);
    };
    const failed = (key: string, fault: XsyncError): void => this.#fail(key, 0, fault);
    try {
      for await (const triples of comparePair(this.#pair, this.#options, { halt, report: onEvent, failed })) {
        for (const triple of triples) await this.#take(triple, committer, halt);
      }
    } finally {
      await this.#inspections.drain();
      committer.close();
    }
  }

  #take(triple: Triple, committer: Committer, halt: Halt): Promise<void> | undefined {
    const { key, source, dest } = triple;
    const object = source ?? dest;
    if (!object || exclusionOf(this.#pair, this.#options, key, object)) return undefined;
    const fault = source?.fault ?? dest?.fault;
    if (fault) this.#fail(key, object.size, fault);
    if (fault || triple.sourceUnlisted || triple.destUnlisted) return undefined;
    if (!source || !dest) {
      if (source) this.summary.onlySource++;
      else this.summary.onlyDestination++;
      return undefined;
    }
    const decision = decide(COMPARING, 'unknown', 'unknown', evidenceOf(triple));
    if (decision.action === 'skip') this.#adopt(triple, decision.reason, committer);
    else if (decision.action !== 'inspect') this.summary.different++;
    else {
      return this.#inspections.push(async () => {
        if (halt.stops('objects')) return;
        const keys = { key, sourceKey: this.#pair.source.prefix + key, destKey: this.#pair.dest.prefix + key };
        const context = {
          source: this.#pair.source.store,
          dest: this.#pair.dest.store,
          budget: this.#budget,
          policy: COMPARING,
          signal: halt.signal,
          unseen: false,
        };
        try {
          const {
            verdict,
            dest: inspected,
            apartMs,
          } = await inspect(context, { ...keys, link: source.special === 'symlink' }, decision);
          const found = { ...triple, dest: inspected ?? dest };
          if (verdict.action === 'skip') this.#adopt(found, verdict.reason, committer, apartMs);
          else this.summary.different++;
        } catch (error) {
          if (halt.signal.aborted) return;
          const fault = toXsyncError(error);
          if (endsRun(fault)) halt.fail(fault);
          else this.#fail(key, source.size, fault);
        }
      });
    }
    return undefined;
  }

  #adopt(triple: Triple, reason: SkipReason, committer: Committer, apartMs?: number): void {
    const row = adoptedRow(triple, reason, apartMs);
    if (!row) {
      this.summary.different++;
      return;
    }
    committer.add({ ...row, ours: this.#options.claim });
    const { adopted } = this.summary;
    adopted.objects++;
    adopted.bytes += row.size;
    adopted.by[reason] = (adopted.by[reason] ?? 0) + 1;
    this.#report({ type: 'skip', key: row.key, size: row.size, reason });
  }

  #fail(key: string, size: number, { class: kind, code, message, remedy }: XsyncError): void {
    this.summary.failed++;
    this.#report({ type: 'failed', key, size, class: kind, code, message, remedy, attempts: 1 });
  }
}
