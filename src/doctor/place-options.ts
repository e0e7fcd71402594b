/** What the checks of a place are told, and what they say when a right is missing. */
import type { Right } from '../store/backend.js';
import type { ObjectStore } from '../store/port.js';

export interface PlaceOptions {
  /** Empty, or ending in `/`. */
  prefix: string;
  /** Where the credentials come from, such as `AWS profile "x"`; absent for local disk. */
  credentials?: string;
  /** What the service calls the rights; absent for local disk. */
  rights?: Readonly<Record<Right, string>>;
  /** Put, copy in parts and remove small objects too. */
  write: boolean;
  /** Bytes to move for measuring, each way; 0 for none. */
  probeBytes: number;
  signal?: AbortSignal;
}

/** What has to be granted, as the service calls it. */
export function allow({ identity }: Pick<ObjectStore, 'identity'>, { rights }: PlaceOptions, right: Right): string {
  if (rights === undefined) return `Give this user the right to ${right} below ${identity.bucket}.`;
  return `Grant ${rights[right]} on ${identity.bucket} to these credentials.`;
}
