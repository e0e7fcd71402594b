/** What every way of transferring one object shares. */
import type { Manifest } from '../../manifest/port.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { ObjectStore, Pace } from '../../store/port.js';
import type { Reporter } from '../events.js';
import type { MemoryBudget } from '../flow/budget.js';
import type { Halt } from '../flow/halt.js';
import type { PlanEntry } from '../plan/plan.js';
import type { Moving } from '../tune/flow.js';
import type { Slots } from './slots.js';

export interface TransferContext {
  source: ObjectStore;
  dest: ObjectStore;
  checkpoints: Pick<Manifest, 'upload' | 'beginUpload' | 'endUpload' | 'addPart' | 'parts' | 'dropParts'>;
  budget: MemoryBudget;
  slots: Slots;
  /** To be called once the object's parts wait for their slots, or when it turns out to have none. */
  opened?: () => void;
  /** Tries to start an upload, the first included. */
  attempts: number;
  storageClass?: string;
  halt: Halt;
  emit: Reporter;
}

export interface TransferResult {
  destEtag: string;
  verifiedBy: VerifiedBy;
  parts: number;
  /** What an earlier, interrupted run had sent. */
  resumedParts: number;
  resumedBytes: number;
}

/** The run stopped before the object was finished; its checkpoint, if it has parts, stays. */
export class Unfinished extends Error {}

/** A store that ignores If-Match, or a listing that was stale, shows here. @throws source-changed */
export function mustBeWhole(entry: PlanEntry, info: ObjectInfo): void {
  if (info.size === entry.size && info.etag === entry.sourceEtag) return;
  throw new XsyncError('source-changed', `changed while it was read (now ${info.size} bytes)`, { subject: entry.key });
}

/** Tells of bytes as they go out; the retry wrapper lets each pass once, however often it is sent. */
export function progressOf({ emit }: TransferContext, key: string, moving?: Moving): Pace {
  return (bytes) => {
    moving?.wrote(bytes);
    emit({ type: 'progress', key, bytes });
    return undefined;
  };
}
