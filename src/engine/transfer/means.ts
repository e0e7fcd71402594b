/** What a ticket is performed with, and what a performer reports while it works. */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Fault } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, Pace } from '../../store/port.js';
import type { RunEvent } from '../events.js';
import type { MemoryBudget } from '../flow/budget.js';
import type { Halt } from '../flow/halt.js';
import type { Limiter } from '../flow/queue.js';
import type { Moving } from '../tune/flow.js';
import type { Slots } from './slots.js';

/** What happens on the way to an outcome. */
export type Observation =
  | Extract<RunEvent, { type: 'begin' | 'progress' | 'race' | 'backup' | 'notice' }>
  /** The destination may hold damaged bytes under the key until the ticket's outcome says otherwise. */
  | { type: 'damaged'; ticket: CopyTicket; fault: Fault };

export interface Means {
  source: ObjectStore;
  dest: ObjectStore;
  /** Where backups go; absent when no ticket asks for one. */
  aside?: ObjectStore;
  checkpoints: Checkpoints;
  budget: MemoryBudget;
  slots: Slots;
  /** Requests that only look. */
  limitInspections: Limiter;
  halt: Halt;
  observe(observation: Observation): void;
  /** Called once the object's parts wait for their slots, or when it turns out to have none. */
  opened?: () => void;
}

/** The run stopped before the object was finished; its checkpoint, if it has parts, stays. */
export class Unfinished extends Error {}

/** A store that ignores If-Match, or a listing that was stale, shows here. @throws source-changed */
export function mustBeWhole({ key, source }: CopyTicket, info: ObjectInfo): void {
  if (info.size === source.size && info.etag === source.etag) return;
  throw new XsyncError('source-changed', `changed while it was read (now ${info.size} bytes)`, { subject: key });
}

/** Reports bytes as they go out; the retry wrapper lets each pass once, however often it is sent. */
export function progressOf({ observe }: Means, key: string, moving?: Moving): Pace {
  return (bytes) => {
    moving?.wrote(bytes);
    observe({ type: 'progress', key, bytes });
    return undefined;
  };
}
