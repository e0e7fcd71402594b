/** A pair that is synced, and what a run does to its destination, in order. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SyncPolicy } from '../../src/engine/decide/decide.js';
import type { RunEvent, Summary } from '../../src/engine/events.js';
import type { DeleteOptions, DeleteTime, RunOptions } from '../../src/engine/options.js';
import { bytesOf, keysOf, Pair, SYNC_POLICY } from './support.js';

export const TIMES: readonly DeleteTime[] = ['after', 'during', 'before'];

export const DELETES: DeleteOptions = { when: 'after', ignoreErrors: false, allowEmptySource: false, excluded: false };

export interface SyncOptions extends Partial<Omit<RunOptions, 'policy' | 'deletes'>> {
  policy?: Partial<SyncPolicy>;
  deletes?: Partial<DeleteOptions>;
}

export function syncOptions({ policy, deletes, ...rest }: SyncOptions = {}): Partial<RunOptions> {
  return {
    command: 'sync',
    failedBefore: 'wait',
    ...rest,
    policy: { ...SYNC_POLICY, ...policy },
    deletes: { ...DELETES, ...deletes },
  };
}

/** What happened before has another time than the run: no two runs begin in one millisecond outside of tests. */
export function later(): Promise<void> {
  return pause(2);
}

export async function sync(
  pair: Pair,
  options: SyncOptions = {},
  listen?: (event: RunEvent) => void,
): Promise<Summary & { events: RunEvent[] }> {
  await later();
  return pair.copy(syncOptions(options), listen);
}

/** `keys` on both sides, put there by xsync, and `gone` of them deleted at the source since. */
export async function synced(
  keys: readonly string[],
  gone: readonly string[] = [],
  pair: Pair = new Pair(),
): Promise<Pair> {
  for (const key of keys) await pair.source.put(key, bytesOf(key, 10));
  await pair.copy();
  for (let i = 0; i < gone.length; i += 1000) await pair.source.delete(gone.slice(i, i + 1000));
  return pair;
}

export function numbered(count: number, name = 'k'): string[] {
  return Array.from({ length: count }, (_, n) => `${name}${String(n).padStart(5, '0')}`);
}

/** The keys of each delete request that has reached the destination. */
export function deleteRequests(pair: Pair): string[][] {
  const requests: string[][] = [];
  pair.faults.dest.before('delete', ({ keys }) => requests.push([...keys]));
  return requests;
}

/** The requests that change the destination, and those that list either side, in order. */
export function order(pair: Pair): string[] {
  const calls: string[] = [];
  pair.faults.source.before('list', () => calls.push('list source'));
  pair.faults.dest.before('list', () => calls.push('list destination'));
  pair.faults.dest.before('put', () => calls.push('put'));
  pair.faults.dest.before('delete', () => calls.push('delete'));
  return calls;
}

/** Keys of the events of one type. */
export function told(run: { events: RunEvent[] }, type: RunEvent['type']): string[] {
  return run.events.flatMap((event) =>
    event.type === type && 'key' in event && event.key !== undefined ? [event.key] : [],
  );
}

export { bytesOf, keysOf, Pair };
