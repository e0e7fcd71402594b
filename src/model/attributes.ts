/**
 * What an object has besides its key and its bytes, and what became of it on the way to another store. Plain data.
 * Tests: test/engine/fidelity/carry.test.ts
 */

export interface Tag {
  key: string;
  value: string;
}

export type Tags = readonly Tag[];

/** Protection of one version against deletes and overwrites. */
export interface ObjectLock {
  /** With `untilMs`: `GOVERNANCE` can be lifted with a permission, `COMPLIANCE` by nobody. */
  mode?: 'GOVERNANCE' | 'COMPLIANCE';
  /** End of the retention, ms since 1970. */
  untilMs?: number;
  legalHold?: true;
}

/** The names in reports and JSON. `link`: what a symbolic link points to; `type`: what kind of object it is. */
export type AttributeName =
  | 'headers'
  | 'metadata'
  | 'tags'
  | 'acl'
  | 'storage-class'
  | 'lock'
  | 'redirect'
  | 'link'
  | 'type';

/** Whether one of them is changed only by a copy of the object onto itself. */
export function needsRewrite(changed: readonly AttributeName[]): boolean {
  return changed.some((name) => ['headers', 'metadata', 'redirect', 'storage-class'].includes(name));
}

/** An attribute that did not arrive as it was, and why, as a clause: `"größe" has characters that …`. */
export interface AttributeNote {
  attribute: AttributeName;
  reason: string;
}

/**
 * What became of an object's attributes. Ordinary content headers and the source's time are not named. A `mapped` one
 * arrived in another form, which means the same or can be turned back; a `lost` one did not arrive, or only in part.
 */
export interface Fidelity {
  kept: readonly AttributeName[];
  mapped: readonly AttributeNote[];
  lost: readonly AttributeNote[];
}

/** What to do about attributes that would be lost: fail the object, report them, or say nothing. */
export type FidelityLevel = 'strict' | 'warn' | 'ignore';
