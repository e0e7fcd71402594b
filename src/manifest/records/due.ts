/** What of a queue is due. Tests: test/contract/state.test.ts */
import { LONGEST_WAIT_MS } from '../queues.js';
import { type Records, rankOf, type Stored } from './port.js';

/**
 * What is due; if nothing is, what was put off by a clock that was wrong then. The second look costs as much as the first
 * one, so it is taken only by whoever has nothing else to do.
 */
export async function dueIn(
  records: Pick<Records, 'queued'>,
  queue: string,
  { nowMs, limit }: { nowMs: number; limit: number },
): Promise<Stored[]> {
  const due = await records.queued(queue, { upTo: lastRankOf(nowMs), limit });
  return due.length > 0 ? due : records.queued(queue, { after: lastRankOf(nowMs + LONGEST_WAIT_MS), limit });
}

function lastRankOf(ms: number): string {
  return rankOf(ms, Number.MAX_SAFE_INTEGER);
}
