/** Tests: test/feed/body.test.ts */
import type { ChangeEvent } from './feed.js';
import { asText } from './json.js';

/** The content of a body. */
export interface Reading {
  events: ChangeEvent[];
  /** Number of events of a known form that are ignored. */
  ignored: number;
  /** What the user must do. */
  notice?: string;
}

/** Why a body cannot be read. The message completes a sentence about its origin, and never quotes the body. */
export class BodyFault extends Error {}

/** @throws BodyFault: the key is missing or is not well-formed Unicode */
export function wholeKey(value: unknown): string {
  const key = asText(value);
  if (key === undefined) throw new BodyFault('has an event without a key');
  if (!key.isWellFormed()) throw new BodyFault('has a key that is not Unicode');
  return key;
}
