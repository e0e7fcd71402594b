/**
 * What became of the attributes of an object that is done, as the queue keeps it: beside the result, where a fault would be.
 * Tests: test/bridge/pull/performer.test.ts
 */
import type { Fault } from '../../manifest/queues.js';
import type { Fidelity } from '../../model/attributes.js';
import { fidelity } from '../ticket.js';

const CODE = 'fidelity';
/** Notes of each kind, so that an answer about many tickets stays small. */
const MOST = 10;

export function faultOfFidelity({ kept, mapped, lost }: Fidelity): Fault {
  return { code: CODE, message: JSON.stringify({ kept, mapped: mapped.slice(0, MOST), lost: lost.slice(0, MOST) }) };
}

/** An outcome as it is told. */
export function toldOf<T extends { fault?: Fault }>(found: T): T & { fidelity?: Fidelity } {
  const { fault, ...rest } = found;
  if (fault?.code !== CODE) return found;
  const { data } = fidelity.safeParse(JSON.parse(fault.message));
  return { ...rest, fidelity: data } as T & { fidelity?: Fidelity };
}
