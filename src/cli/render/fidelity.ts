/** What became of attributes, in summaries. Tests: test/cli/render/fidelity.test.ts */
import type { FidelitySum, LossyObject, Summary } from '../../engine/events.js';
import type { AttributeName } from '../../model/attributes.js';
import { formatCount, formatCounts, plural } from './format.js';
import { keyText, printable } from './printable.js';

/** The most objects in a summary on a screen. */
const SHOWN = 10;

export const NAMES: Record<AttributeName, string> = {
  headers: 'content headers',
  metadata: 'metadata',
  tags: 'tags',
  acl: 'ACL',
  'storage-class': 'storage class',
  lock: 'lock',
  redirect: 'redirect',
  link: 'links',
  type: 'object type',
};

export function keptAttributes({ fidelity }: Pick<Summary, 'fidelity'>): string {
  return fidelity ? named(fidelity.kept) : '';
}

export function mappedAttributes({ fidelity }: Pick<Summary, 'fidelity'>): string {
  return fidelity ? named(fidelity.mapped) : '';
}

/** `2 objects: tags 1 · metadata 1` */
export function lostAttributes({ fidelity }: Pick<Summary, 'fidelity'>): string {
  if (!fidelity || fidelity.objects === 0) return '';
  return `${plural(fidelity.objects, 'object')}: ${named(fidelity.lost)}`;
}

function named(counts: FidelitySum['kept']): string {
  return formatCounts(Object.fromEntries(Object.entries(counts).map(([name, n]) => [NAMES[name as AttributeName], n])));
}

/** One line for each object that lost something, up to a number; a heading before them. */
export function lossLines({ fidelity }: Pick<Summary, 'fidelity'>): { heading: string; lines: string[] } | undefined {
  if (!fidelity || fidelity.objects === 0) return undefined;
  const shown = fidelity.list.slice(0, SHOWN);
  const more = fidelity.objects - shown.length;
  const heading =
    more > 0
      ? `The first ${shown.length} of ${formatCount(fidelity.objects)} objects that lost attributes:`
      : 'Objects that lost attributes:';
  return { heading, lines: shown.map(lossText) };
}

/** `a.txt: tags: not requested; --tags copies them` */
export function lossText({ key, lost }: LossyObject): string {
  return `${keyText(key)}: ${lostText(lost)}`;
}

export function lostText(lost: LossyObject['lost']): string {
  return lost.map(({ attribute, reason }) => `${NAMES[attribute]}: ${printable(reason)}`).join('; ');
}
