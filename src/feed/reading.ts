import type { ChangeEvent } from './feed.js';
import { asText } from './json.js';

/** What a body says. */
export interface Reading {
  events: ChangeEvent[];
  /** Events of a known form that are of no concern. */
  ignored: number;
  /** What a person has to do. */
  notice?: string;
}

/** Why a body cannot be read, as the end of a sentence that names where it came from. Never quotes the body. */
export class BodyFault extends Error {}

/** @throws BodyFault for what no key can be: nothing, and text that has no UTF-8. */
export function wholeKey(value: unknown): string {
  const key = asText(value);
  if (key === undefined) throw new BodyFault('has an event without a key');
  if (/\p{Surrogate}/u.test(key)) throw new BodyFault('has a key that is no Unicode');
  return key;
}
