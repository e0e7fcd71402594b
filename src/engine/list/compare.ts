/** The three-way diff of a pair that is only looked at. */
import { XsyncError } from '../../model/error.js';
import type { RunEvent } from '../events.js';
import type { Halt } from '../flow/halt.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import { diff, type Triple } from './diff.js';
import { OutOfOrder } from './list.js';
import { Streams } from './streams.js';

export interface CompareOptions extends Pick<RunOptions, 'filter' | 'only' | 'listConcurrency'> {
  /** Objects looked at at once, beyond what the listings say. */
  checkers: number;
}

export interface CompareListener {
  halt: Halt;
  tell(event: Extract<RunEvent, { type: 'notice' | 'listed' }>): void;
  /** One of the objects that were named cannot be asked for. */
  failed(key: string, fault: XsyncError): void;
}

/** Disorder that shows late would be reported as differences. */
const DISTRUSTED = ['source', 'destination'] as const;

/**
 * Batches in key order, until the halt stops them.
 * @throws bucket-not-found; invalid-response for a store that breaks its promise of order
 */
export async function* comparePair(
  pair: RunPair,
  options: CompareOptions,
  listener: CompareListener,
): AsyncGenerator<Triple[]> {
  const { halt, tell, failed } = listener;
  const { filter, only, checkers, listConcurrency } = options;
  const fixed = { distrusted: DISTRUSTED, noTraverse: false, createBucket: false, dryRun: true };
  const emit = (event: RunEvent): void => {
    if (event.type === 'notice' || event.type === 'listed') tell(event);
  };
  const asked = { filter, only, checkers, listConcurrency, ...fixed };
  const streams = new Streams(pair, asked, { emit, halt, failed });
  try {
    const { source, dest, rows } = streams.open();
    for await (const triples of diff(source, dest, rows)) {
      if (halt.stops('plans')) return;
      yield triples;
    }
  } catch (error) {
    throw explained(error);
  } finally {
    streams.dispose();
  }
}

/** Errors whose remedy is another one here than in a copy. */
function explained(error: unknown): unknown {
  if (error instanceof OutOfOrder) {
    const remedy = 'Set `provider: other` for this remote: its order is then not relied on.';
    return new XsyncError('invalid-response', error.message, { subject: error.side.text, remedy });
  }
  if (!(error instanceof XsyncError) || error.code !== 'bucket-not-found') return error;
  const { message, subject } = error;
  return new XsyncError('bucket-not-found', message, { subject, remedy: 'check the path', cause: error });
}
