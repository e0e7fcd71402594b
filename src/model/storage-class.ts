/**
 * Storage classes: what those of a provider are like, and which one takes the place of another. Plain data and pure
 * functions; the providers' rows are in store/attributes/classes.ts.
 * Tests: test/model/storage-class.test.ts
 */

/**
 * What a class is like, at any provider. From `archive` on, objects must be restored before they can be read at most
 * providers, and each kind takes longer than the one before.
 */
export type ClassKind =
  | 'standard'
  | 'reduced'
  | 'tiered'
  | 'infrequent'
  | 'one-zone'
  | 'instant'
  | 'archive'
  | 'cold'
  | 'deep'
  | 'deepest';

/** The classes of a provider. */
export interface ClassLimits {
  /** By name, in the provider's spelling. */
  kinds: Readonly<Record<string, ClassKind>>;
  /** Whoever runs the service can add others. */
  open?: true;
}

/** Of `--storage-class`: the source's name where the destination knows it, or the class that is like it. */
export const CARRIED_CLASSES: readonly string[] = ['keep', 'map'];

export function isCarriedClass(asked: string | undefined): boolean {
  return asked !== undefined && CARRIED_CLASSES.includes(asked);
}

/** Names of classes at the source, in any case, with the destination's classes for them. */
export type ClassTable = Readonly<Record<string, string>>;

/** Kinds that take the place of one that a provider does not have, the best first. None is warmer than readable. */
const INSTEAD: Readonly<Record<ClassKind, readonly ClassKind[]>> = {
  standard: [],
  reduced: ['standard'],
  tiered: ['standard'],
  infrequent: ['standard'],
  'one-zone': ['infrequent', 'standard'],
  instant: ['infrequent', 'standard'],
  archive: ['cold', 'deep', 'deepest'],
  cold: ['archive', 'deep', 'deepest'],
  deep: ['deepest', 'cold', 'archive'],
  deepest: ['deep', 'cold', 'archive'],
};

/** Services differ in case: `STANDARD` and `Standard`. */
export function isSameClass(a: string | undefined, b: string | undefined): boolean {
  return a?.toLowerCase() === b?.toLowerCase();
}

/** The class of that name, in the provider's spelling; any name where the provider may have others. */
export function classNamed(name: string, { kinds, open }: ClassLimits): string | undefined {
  return listed(name, kinds) ?? (open ? name : undefined);
}

/** The destination's class of the same name. One that neither side lists may be at both, if both can have others. */
export function keptClass(name: string, from: ClassLimits | undefined, to: ClassLimits): string | undefined {
  const known = listed(name, to.kinds);
  if (known !== undefined || !from?.open || !to.open) return known;
  return listed(name, from.kinds) === undefined ? name : undefined;
}

/** The destination's class for one of the source: by the table, of the same name, or of the same or a similar kind. */
export function mappedClass(
  name: string,
  from: ClassLimits | undefined,
  to: ClassLimits,
  table: ClassTable = {},
): string | undefined {
  const [, given] = Object.entries(table).find(([source]) => isSameClass(source, name)) ?? [];
  if (given !== undefined) return classNamed(given, to) ?? given;
  const kept = keptClass(name, from, to);
  if (kept !== undefined) return kept;
  const own = from && listed(name, from.kinds);
  const kind = own === undefined ? undefined : from?.kinds[own];
  if (kind === undefined) return undefined;
  const names = Object.keys(to.kinds);
  return [kind, ...INSTEAD[kind]].flatMap((like) => names.find((one) => to.kinds[one] === like) ?? [])[0];
}

function listed(name: string, kinds: ClassLimits['kinds']): string | undefined {
  return Object.hasOwn(kinds, name) ? name : Object.keys(kinds).find((one) => isSameClass(one, name));
}
