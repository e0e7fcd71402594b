/** What a pushing end is told. Tests: test/e2e/bridge.test.ts */
import type { CopyJob } from '../../engine/job/job.js';
import type { ListenAddress } from '../../inbound/address.js';
import type { ChangeSource } from '../../open/changes.js';
import type { Identity } from '../identity.js';
import type { ServiceMeans } from '../pull/pull.js';
import type { Reading } from './attributes.js';
import type { DeleteLimits } from './known-keys.js';

export interface PushOptions {
  /** Its destination is the URL of the pulling end. */
  job: CopyJob;
  identity: Identity;
  /** Of the URLs, seconds. */
  expiresS: number;
  attempts: number;
  /** Also what was there before the bridge. */
  backfill: boolean;
  /** Until everything has arrived. */
  once: boolean;
  /** Between two listings, ms; absent: there is only the first one. */
  intervalMs?: number;
  deletes?: DeleteLimits;
  /** Where it hears outcomes, and the URL at which the other end reaches it. */
  hearing?: { listen: ListenAddress; url: string };
  /** What is read of each object besides its bytes, and sent in its ticket. */
  reading: Reading;
  /** Listings find changed attributes by reading all of them. */
  compares: boolean;
}

export type PushMeans = Omit<ServiceMeans, 'report'> & {
  openChanges?(): Promise<ChangeSource>;
};
