/** A side's versions for a run, counted and reported. Tests: test/engine/pass/history.test.ts */
import type { XsyncError } from '../../model/error.js';
import type { VersionEntry } from '../../store/port.js';
import type { Side } from '../events.js';
import { inventoryVersions } from '../list/inventory-versions.js';
import { orderedVersions } from '../list/ordered-versions.js';
import { faultOf } from '../plan/fault.js';
import type { RunContext } from './context.js';

/** @throws as `orderedVersions` and `inventoryVersions` */
export function listedVersions(context: RunContext, which: Side): AsyncGenerator<VersionEntry> {
  const { pair, options, halt, emit, census, pass, recorder } = context;
  const { single } = pair;
  const onDamaged = (fault: XsyncError): void => {
    pass.oddity ??= fault.message;
    recorder.unnamed(faultOf(fault));
  };
  const listed = (objects: number, done: boolean): void => {
    if (which === 'source') census.listed = objects;
    emit({ type: 'listed', side: which, objects, done });
  };
  const side = which === 'source' ? pair.source : pair.dest;
  if (side.inventory) {
    const spool = () => pair.manifest.spool();
    const how = { bounds: options.bounds ?? {}, signal: halt.listings, spool, listed };
    return inventoryVersions(side, side.inventory, how);
  }
  return orderedVersions(side, { bounds: options.bounds, signal: halt.listings, single, onDamaged, listed });
}
