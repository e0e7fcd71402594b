/** Tests: test/engine/record/fidelity.test.ts */
import type { AttributeNote, Fidelity } from '../../model/attributes.js';
import { COUNTED_REASONS, type FidelitySum, LISTED_LOSSES } from '../events.js';
import { increase } from './sum.js';

/** Adds what became of one object's attributes. An attribute counts once per object, by the worst that befell it. */
export function addFidelity(sum: FidelitySum | undefined, key: string, { kept, mapped, lost }: Fidelity): FidelitySum {
  const total = sum ?? { kept: {}, mapped: {}, lost: {}, reasons: [], objects: 0, list: [] };
  for (const attribute of kept) increase(total.kept, attribute);
  for (const { attribute } of mapped) increase(total.mapped, attribute);
  for (const attribute of new Set(lost.map((note) => note.attribute))) increase(total.lost, attribute);
  countReasons(total, 'mapped', mapped);
  countReasons(total, 'lost', lost);
  if (lost.length === 0) return total;
  total.objects++;
  if (total.list.length < LISTED_LOSSES) total.list.push({ key, lost });
  return total;
}

function countReasons({ reasons }: FidelitySum, became: 'mapped' | 'lost', notes: readonly AttributeNote[]): void {
  // Two tags of one object may be lost for the same reason.
  const own = new Map(notes.map(({ attribute, reason }) => [`${attribute} ${bare(reason)}`, { attribute, reason }]));
  for (const { attribute, reason } of own.values()) {
    const text = bare(reason);
    const known = reasons.find((one) => one.became === became && one.attribute === attribute && one.reason === text);
    if (known) known.objects++;
    else if (reasons.length < COUNTED_REASONS) reasons.push({ became, attribute, reason: text, objects: 1 });
  }
}

/** Without the quoted names at its beginning, as `nameList` writes them. */
function bare(reason: string): string {
  return reason.replace(/^"(?:[^"\\]|\\.)*"(?:, "(?:[^"\\]|\\.)*")*(?: and \d+ more)? /, '');
}
