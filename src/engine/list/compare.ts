/** The three-way diff for commands that only compare a pair and copy nothing. Tests: test/engine/check/check.test.ts */
import { XsyncError } from '../../model/error.js';
import type { RunEvent } from '../events.js';
import type { Halt } from '../flow/halt.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import { diff, type Triple } from './diff.js';
import { lookForHidden } from './hidden.js';
import { OutOfOrder } from './list.js';
import { Streams } from './streams.js';

export interface CompareOptions extends Pick<RunOptions, 'filter' | 'only' | 'listConcurrency'> {
  /** Inspections in flight. */
  checkers: number;
}

export interface CompareListener {
  halt: Halt;
  report(event: Extract<RunEvent, { type: 'notice' | 'listed' }>): void;
  /**
   * The HEAD of a named object failed, or a folder (its key ends in a slash) could not be listed; `list`: a row of a
   * listing has no key.
   */
  failed(key: string, fault: XsyncError, operation?: 'list'): void;
}

/** A listing out of order that is noticed late would be reported as differences. */
const DISTRUSTED = ['source', 'destination'] as const;

/**
 * Batches in key order, until the halt stops the run.
 * @throws bucket-not-found; invalid-response for a store that lists out of order although its capabilities rule that out
 */
export async function* comparePair(
  pair: RunPair,
  options: CompareOptions,
  listener: CompareListener,
): AsyncGenerator<Triple[]> {
  const { halt, report, failed } = listener;
  const { filter, only, checkers, listConcurrency } = options;
  const fixed = { distrusted: DISTRUSTED, noTraverse: false, createBucket: false, dryRun: true };
  const emit = (event: RunEvent): void => {
    if (event.type === 'notice' || event.type === 'listed') report(event);
  };
  const asked = { filter, only, checkers, listConcurrency, ...fixed };
  const damaged = (fault: XsyncError): void => failed('', fault, 'list');
  const streams = new Streams(pair, asked, { emit, halt, failed, damaged });
  try {
    await lookForHidden(pair, { ...asked, mode: 'check' }, halt);
    const { source, dest, rows, unlisted } = streams.open();
    for await (const triples of diff(source, dest, rows, unlisted)) {
      if (halt.stops('plans')) return;
      yield triples;
    }
  } catch (error) {
    throw explained(error);
  } finally {
    streams.dispose();
  }
}

/** Errors whose remedy differs from that of a copy. */
function explained(error: unknown): unknown {
  if (error instanceof OutOfOrder) {
    const remedy = 'Set `provider: other` for this remote, so that its order is not relied on.';
    return new XsyncError('invalid-response', error.message, { subject: error.side.text, remedy });
  }
  if (!(error instanceof XsyncError) || error.code !== 'bucket-not-found') return error;
  const { message, subject } = error;
  return new XsyncError('bucket-not-found', message, { subject, remedy: 'Check the path.', cause: error });
}
