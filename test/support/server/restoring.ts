import { ServiceError } from './errors.js';
import type { Reply } from './exchange.js';
import { isFrozen, type StoredObject } from './model.js';

/** What a RestoreRequest asks for. S3: `GlacierJobParameters`; OSS: `JobParameters`. */
export interface Asked {
  days?: number;
  tier?: string;
}

/**
 * RestoreObject of both services: 202, then 409 until it is there, and 200 from then on. Restoring takes as long as the
 * test wants.
 * @param check refuses what the class does not take
 * @throws MalformedXML, InvalidObjectState, RestoreAlreadyInProgress
 */
export function askToRestore(
  object: StoredObject,
  text: string,
  check: (object: StoredObject, asked: Asked) => void,
): Reply {
  if (!/^<RestoreRequest( xmlns="[^"]*")?>.*<\/RestoreRequest>$/s.test(text.replace(/^<\?xml[^>]*>\s*/, ''))) {
    throw new ServiceError('MalformedXML');
  }
  if (!isFrozen(object) && !object.restored) throw new ServiceError('InvalidObjectState', { status: 400 });
  const days = /<Days>(\d+)<\/Days>/.exec(text)?.[1];
  const tier = /<Tier>(\w+)<\/Tier>/.exec(text)?.[1];
  if (tier !== undefined && !['Expedited', 'Standard', 'Bulk'].includes(tier)) throw new ServiceError('MalformedXML');
  check(object, { ...(days === undefined ? {} : { days: Number(days) }), ...(tier === undefined ? {} : { tier }) });
  if (object.restored) return { status: 200 };
  if (object.restoring) throw new ServiceError('RestoreAlreadyInProgress');
  object.restoring = true;
  return { status: 202 };
}

/** The restore has ended. */
export function endRestore(object: StoredObject): void {
  object.restoring = false;
  object.restored = true;
  if (object.tier !== undefined) delete object.tier;
}
