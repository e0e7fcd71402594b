/** Tests: test/engine/record/fidelity.test.ts */
import type { Fidelity } from '../../model/attributes.js';
import { type FidelitySum, LISTED_LOSSES } from '../events.js';
import { increase } from './sum.js';

/** Adds what became of one object's attributes. An attribute counts once per object, by the worst that befell it. */
export function addFidelity(sum: FidelitySum | undefined, key: string, { kept, mapped, lost }: Fidelity): FidelitySum {
  const total = sum ?? { kept: {}, mapped: {}, lost: {}, objects: 0, list: [] };
  for (const attribute of kept) increase(total.kept, attribute);
  for (const { attribute } of mapped) increase(total.mapped, attribute);
  for (const attribute of new Set(lost.map((note) => note.attribute))) increase(total.lost, attribute);
  if (lost.length === 0) return total;
  total.objects++;
  if (total.list.length < LISTED_LOSSES) total.list.push({ key, lost });
  return total;
}
