/** Other machines that perform tickets, as a run sees them. Tests: test/engine/fleet/executor.test.ts */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import type { Copied, Outcome } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Elsewhere } from '../../store/wrap/share.js';
import type { Reporter } from '../events.js';
import type { Halt } from '../flow/halt.js';
import type { Observation, SendPart } from '../transfer/means.js';

export interface Fleet {
  /** Objects that a run may hand over at once. */
  readonly objects: number;
  /** A run begins. */
  join(run: FleetRun): FleetLink;
}

/** What a run does for the machines. */
export interface FleetRun {
  halt: Halt;
  checkpoints: Checkpoints;
  /** Checksums are ignored; see unverified.ts. */
  unverified: boolean;
  elsewhere: Record<'source' | 'dest', Elsewhere>;
  observe(observation: Observation): void;
  emit: Reporter;
  /** A ticket of an earlier life of this program has been performed, and nobody has recorded it. */
  recovered(ticket: CopyTicket, copied: Copied): void;
  /** Makes durable what was recorded. @throws disk-full and other errors of the manifest's database */
  flush(): void;
}

export interface FleetLink {
  /** Takes up what an earlier life of this program has left with the machines. */
  open(): Promise<void>;
  /** @throws faults that end the run */
  perform(ticket: CopyTicket): Promise<Outcome>;
  /** @throws what reading and writing the part throws; Unfinished when the run is stopped */
  sendPart: SendPart;
  /** Waits for tickets of an earlier life that are still being performed. */
  drain(): Promise<void>;
  /** The run is over. */
  close(): void;
}
