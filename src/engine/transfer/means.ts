/** What the performer of a ticket works with, and what it reports. Tests: test/engine/transfer/doubt.test.ts */
import type { Checkpoints, PartRow } from '../../manifest/checkpoints.js';
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Fault } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, Pace } from '../../store/port.js';
import type { RunEvent } from '../events.js';
import type { MemoryBudget } from '../flow/budget.js';
import type { Halt } from '../flow/halt.js';
import type { Limiter } from '../flow/queue.js';
import type { Moving } from '../tune/flow.js';
import type { EtagTrust } from './etag-trust.js';
import type { PartSlots } from './slots.js';
import type { PartHashing } from './verify.js';

/** Events before the outcome. */
export type Observation =
  | Extract<RunEvent, { type: 'begin' | 'progress' | 'race' | 'backup' | 'notice' }>
  /** The destination may have damaged bytes under the key until the ticket's outcome is known. */
  | { type: 'damaged'; ticket: CopyTicket; fault: Fault };

/** What a destination may refuse although its kind of store has it. */
export const OPTIONAL = ['acl', 'lock', 'tags', 'redirect'] as const;
export type Optional = (typeof OPTIONAL)[number];

/** What the destination has refused in this run, with its reasons: attributes, and parts that came without their checksum. */
export type Refusals = Map<Optional | 'unchecked-part', string>;

/** One part of an object, for another machine to send. */
export interface FarPart {
  ticket: CopyTicket;
  uploadId: string;
  partNumber: number;
  hashing: PartHashing;
}

/** A part that was sent by itself. */
export interface PartSent {
  row: PartRow;
  /** The destination checked it, or returned a checksum of it. */
  confirmed: boolean;
  /** It returned an ETag that looks like an MD5, and is not that of the bytes. */
  contradicted: boolean;
}

/** @throws what reading and writing the part throws; Unfinished when the run is stopped */
export type SendPart = (part: FarPart) => Promise<PartSent>;

export interface Means {
  source: ObjectStore;
  dest: ObjectStore;
  /** The backup store; absent if no ticket requires a backup. */
  aside?: ObjectStore;
  checkpoints: Checkpoints;
  budget: MemoryBudget;
  slots: PartSlots;
  halt: Halt;
  /** Of ETags that promise nothing, per side. */
  etags: { source: EtagTrust; dest: EtagTrust };
  refusals: Refusals;
  /** Checksums are ignored; see unverified.ts. */
  unverified?: true;
  observe(observation: Observation): void;
  /** Other machines send the parts of this object; `info`: its headers. Absent: this process does. */
  far?: { info: ObjectInfo; limit: Limiter; send: SendPart };
  /** Called once the object's parts have queued for their slots, or when it turns out to have none. */
  opened?: () => void;
}

/** The run stopped before the object was finished; its checkpoint, if it has parts, stays. */
export class Unfinished extends Error {}

/** The destination has another version than the ticket names: somebody wrote the key in between, and that write stays. */
export class Overtaken extends Error {}

/** Detects a store that ignores If-Match, or a stale listing. @throws source-changed */
export function mustBeWhole({ key, source }: CopyTicket, info: ObjectInfo): void {
  if (info.size === source.size && sameEtag(info.etag, source.etag)) return;
  throw new XsyncError('source-changed', `changed while it was read (now ${info.size} bytes)`, { subject: key });
}

/** Reports that an object begins which is sent in one request. */
export function observeBegin({ observe }: Means, { key, source: { size } }: CopyTicket): void {
  observe({ type: 'begin', key, size, parts: 1, resumedBytes: 0 });
}

/**
 * For attempts at the same bytes, one after the other: the pace hears only what an attempt moves beyond the furthest one.
 * @returns begins an attempt
 */
export function furthest(pace: Pace): () => Pace {
  let most = 0;
  return () => {
    let moved = 0;
    return (bytes) => {
      moved += bytes;
      const fresh = moved - most;
      if (fresh <= 0) return undefined;
      most = moved;
      return pace(fresh);
    };
  };
}

/** Reports bytes as they are sent; the retry wrapper counts bytes that are sent again only once. */
export function progressOf({ observe }: Means, key: string, moving?: Moving): Pace {
  return (bytes) => {
    moving?.wrote(bytes);
    observe({ type: 'progress', key, bytes });
    return undefined;
  };
}
