/** The events and the summary of a check. Tests: test/engine/check/check.test.ts */
import type { ErrorClass } from '../../model/error.js';
import type { Finding, SkipReason } from '../decide/decide.js';
import type { Failure, RunEvent, StopReason, Traffic } from '../events.js';
import type { RunPair } from '../pair.js';
import { addFailure, noFailures } from '../record/fold.js';
import { add, increase, nothing, type Sum } from '../record/sum.js';

export type Verdict = Finding['verdict'];

/** How a match or a difference was established. */
export type KnownBy = Extract<Finding, { by: string }>['by'];

export interface Checked {
  type: 'checked';
  key: string;
  /** Bytes at the source, or at the destination if the source does not have it. */
  size: number;
  verdict: Verdict;
  by?: KnownBy;
  /** With histories: ID of the version, at the source, or at the destination if the source does not have it. */
  versionId?: string;
  deleteMarker?: true;
}

export type CheckEvent = Checked | Extract<RunEvent, { type: 'notice' | 'listed' | 'skip' | 'failed' | 'retry' }>;

/** May return a promise, which the check awaits: a slow reader of the results slows it down. */
export type CheckReporter = (event: CheckEvent) => Promise<void> | undefined;

export interface CheckSummary {
  source: string;
  destination: string;
  /** ms since 1970. */
  startedMs: number;
  elapsedMs: number;
  listed: { source: number; destination: number };
  match: Sum & { by: Partial<Record<KnownBy, number>> };
  differ: Sum & { by: Partial<Record<KnownBy, number>> };
  missingOnSrc: Sum;
  missingOnDst: Sum;
  /** Of the matches: only the sizes could be compared although more was requested. */
  unproven: number;
  skipped: { objects: number; byReason: Partial<Record<SkipReason, number>> };
  errors: { objects: number; byClass: Partial<Record<ErrorClass, number>>; list: Failure[] };
  retries: number;
  traffic: { source: Traffic; destination: Traffic };
  /** Present if the check did not cover every key. */
  stopped?: StopReason;
}

/** Number of objects that differ or are missing on a side. */
export function differencesOf({ differ, missingOnSrc, missingOnDst }: CheckSummary): number {
  return differ.objects + missingOnSrc.objects + missingOnDst.objects;
}

/** What the events of a check add up to. */
export class CheckFold {
  readonly #pair: RunPair;
  readonly #sizeIsEnough: boolean;
  readonly #started = performance.now();
  readonly #summary: CheckSummary;

  /** @param sizeIsEnough only sizes were requested (--size-only) */
  constructor(pair: RunPair, sizeIsEnough: boolean) {
    this.#pair = pair;
    this.#sizeIsEnough = sizeIsEnough;
    this.#summary = {
      source: pair.source.text,
      destination: pair.dest.text,
      startedMs: Date.now(),
      elapsedMs: 0,
      listed: { source: 0, destination: 0 },
      match: { ...nothing(), by: {} },
      differ: { ...nothing(), by: {} },
      missingOnSrc: nothing(),
      missingOnDst: nothing(),
      unproven: 0,
      skipped: { objects: 0, byReason: {} },
      errors: noFailures(),
      retries: 0,
      traffic: { source: pair.source.traffic(), destination: pair.dest.traffic() },
    };
  }

  hear(event: CheckEvent): void {
    const { listed, skipped, errors } = this.#summary;
    if (event.type === 'checked') this.#addChecked(event);
    else if (event.type === 'listed') listed[event.side] = event.objects;
    else if (event.type === 'retry') this.#summary.retries++;
    else if (event.type === 'failed') {
      const { type: _, ...failure } = event;
      addFailure(errors, failure);
    } else if (event.type === 'skip') {
      skipped.objects++;
      increase(skipped.byReason, event.reason);
    }
  }

  #addChecked({ verdict, size, by }: Checked): void {
    const sums = this.#summary;
    const sum = { match: sums.match, differ: sums.differ, ...missingOf(sums) }[verdict];
    add(sum, size);
    if (by === undefined || (verdict !== 'match' && verdict !== 'differ')) return;
    increase(sums[verdict].by, by);
    if (verdict === 'match' && by === 'size' && !this.#sizeIsEnough && size > 0) sums.unproven++;
  }

  /** The summary so far. */
  summary(stopped?: StopReason): CheckSummary {
    return {
      ...this.#summary,
      elapsedMs: performance.now() - this.#started,
      traffic: { source: this.#pair.source.traffic(), destination: this.#pair.dest.traffic() },
      ...(stopped && { stopped }),
    };
  }
}

function missingOf({ missingOnSrc, missingOnDst }: CheckSummary): Record<'missing-on-src' | 'missing-on-dst', Sum> {
  return { 'missing-on-src': missingOnSrc, 'missing-on-dst': missingOnDst };
}
