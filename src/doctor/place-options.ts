/** Options of a location's checks, and the remedy for a missing permission. Tests: test/doctor/place.test.ts */
import type { Right } from '../store/backend.js';
import type { ObjectStore } from '../store/port.js';

export interface PlaceOptions {
  /** Empty, or ends in `/`. */
  prefix: string;
  /** The source of the credentials, such as `AWS profile "x"`; absent for local disk. */
  credentials?: string;
  /** The service's names of the permissions; absent for local disk. */
  rights?: Readonly<Record<Right, string>>;
  /** Also put, upload in parts and delete small objects. */
  write: boolean;
  /** Bytes to transfer in each direction for the measurement; 0 for none. */
  probeBytes: number;
  signal?: AbortSignal;
}

/** The remedy that names the missing permission. */
export function allow({ identity }: Pick<ObjectStore, 'identity'>, { rights }: PlaceOptions, right: Right): string {
  if (rights === undefined) return `Give this user permission to ${right} in ${identity.bucket}.`;
  return `Grant ${rights[right]} on ${identity.bucket} to these credentials.`;
}
