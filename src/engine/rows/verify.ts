/** Compares a manifest with the two listings. Tests: test/engine/rows/rebuild.test.ts */

import { destState, sourceState } from '../decide/evidence.js';
import type { Reporter } from '../events.js';
import { Halt } from '../flow/halt.js';
import { type CompareOptions, comparePair } from '../list/compare.js';
import type { RunPair } from '../pair.js';

export interface RowsSummary {
  rows: number;
  /** Both listings have the versions in the row. */
  agreeing: number;
  source: { changed: number; gone: number };
  destination: { changed: number; gone: number };
  /** On both sides but not in the manifest. */
  unknown: number;
  listed: { source: number; destination: number };
}

/** @throws the error of a listing; aborted */
export async function checkRows(
  pair: RunPair,
  options: CompareOptions & { stop: AbortSignal },
  report: Reporter,
): Promise<RowsSummary> {
  const sum: RowsSummary = {
    rows: 0,
    agreeing: 0,
    source: { changed: 0, gone: 0 },
    destination: { changed: 0, gone: 0 },
    unknown: 0,
    listed: { source: 0, destination: 0 },
  };
  await withHalt(options.stop, async (halt) => {
    const onEvent: Reporter = (event) => {
      if (event.type === 'listed') sum.listed[event.side] = event.objects;
      report(event);
    };
    // No objects are named here: a folder could not be listed.
    const failed = (_key: string, fault: Error): never => {
      throw fault;
    };
    for await (const triples of comparePair(pair, options, { halt, report: onEvent, failed })) {
      for (const triple of triples) {
        if (!triple.row) {
          if (triple.source && triple.dest) sum.unknown++;
          continue;
        }
        sum.rows++;
        const [s, d] = [sourceState(triple), destState(triple, true)];
        if (s === 'same' && d === 'same') sum.agreeing++;
        note(sum.source, s);
        note(sum.destination, d);
      }
    }
  });
  return sum;
}

function note(counts: { changed: number; gone: number }, state: string): void {
  if (state === 'changed') counts.changed++;
  if (state === 'absent') counts.gone++;
}

/** Runs `body` with a halt that `stop` triggers. @throws aborted when stopped, and any other error of `body` */
export async function withHalt(stop: AbortSignal, body: (halt: Halt) => Promise<void>): Promise<void> {
  const halt = new Halt(0);
  const onStop = (): void => halt.stop('interrupted', 'calls');
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  try {
    await body(halt);
  } catch (error) {
    if (!halt.signal.aborted) halt.fail(error);
  } finally {
    stop.removeEventListener('abort', onStop);
    halt.dispose();
  }
  if (halt.fatal) throw halt.fatal.error;
}
