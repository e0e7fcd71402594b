/** The last look at an object before it is deleted: between the listings and the delete, somebody may have written it. */

import type { DoomedRow } from '../../manifest/port.js';
import { sameEtag } from '../../model/etag.js';
import { exclusionOf } from '../decide/exclusion.js';
import { headAtDestination, headIfThere } from '../decide/inspect.js';
import type { DeleteOptions } from '../options.js';
import type { RunContext } from './context.js';

/** Found gone by this run, and not copied since by a concurrent run. */
export function isFresh({ startedMs, claims, pair }: RunContext, { key, foundMs }: DoomedRow): boolean {
  // A time in the future is of a wrong clock.
  if (foundMs < startedMs || foundMs > Date.now()) return false;
  return claims === undefined || (pair.manifest.get(key)?.atMs ?? 0) < listedMs(pair, startedMs);
}

/** Since when the source may have changed unseen: another pair may have begun the listing, before the run began. */
function listedMs({ source }: RunContext['pair'], beganMs: number): number {
  return Math.min(source.reading?.listedMs ?? beganMs, beganMs);
}

/**
 * One HEAD at the source. The delete itself compares the version at the destination.
 * @returns the row as it is to be deleted; undefined if it must not be
 * @throws what HEAD throws
 */
export async function lookAgain(
  context: RunContext,
  how: DeleteOptions,
  row: DoomedRow,
): Promise<DoomedRow | undefined> {
  return (await isAtSource(context, how, row.key)) ? undefined : asItStands(context, how, row);
}

/** An object that was there all the time shows that the listing left it out, so others may be missing as well. */
async function isAtSource(context: RunContext, how: DeleteOptions, key: string): Promise<boolean> {
  const { pair, options, halt, pass, tagged } = context;
  const { store, prefix, text, inventory } = pair.source;
  const here = await headIfThere(store, prefix + key, halt.signal);
  if (!here) return false;
  if (how.excluded && exclusionOf(pair, options, key, here)?.reason === 'filtered') return false;
  if (how.excluded && tagged?.remembered({ ...here, key })?.exclusion !== undefined) return false;
  // Where the time is the writer's, it does not say when the object appeared.
  const sinceMs = inventory?.completeUntilMs ?? listedMs(pair, pass.startedMs);
  if (!store.capabilities.keepsMtime && here.mtimeMs < sinceMs) {
    pass.oddity ??= `the ${inventory ? 'inventory' : 'listing'} of ${text} left out ${JSON.stringify(key)}, which is there`;
  }
  return true;
}

/**
 * What an interrupted run found gone may have changed at the destination since, or be excluded by this run's filter: one
 * more HEAD.
 */
async function asItStands(context: RunContext, how: DeleteOptions, row: DoomedRow): Promise<DoomedRow | undefined> {
  if (isFresh(context, row)) return row;
  const { pair, options, halt } = context;
  const { store, prefix } = pair.dest;
  const there = await headAtDestination(store, prefix + row.key, halt.signal);
  if (!there) return row;
  const deleteUnknown = options.policy.mode === 'sync' && options.policy.deleteUnknown;
  if (!sameEtag(there.etag, row.destEtag) && !deleteUnknown) return undefined;
  const excluded = options.filter?.test(row.key, there.size, there.mtimeMs).included === false;
  return excluded && !how.excluded ? undefined : { ...row, destEtag: there.etag };
}
