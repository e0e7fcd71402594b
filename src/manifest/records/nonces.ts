/** Nonces of signed requests, in records. Tests: test/contract/state.test.ts */
import { getOne } from './change.js';
import type { Draft, Records } from './port.js';

/** Remembers a nonce until a time, for all processes. @returns false if it was known */
export async function onceIn(records: Records, nonce: string, untilMs: number, nowMs: number): Promise<boolean> {
  const name = { group: `nonce-${nonce}`, id: '-' };
  const draft: Draft = { text: JSON.stringify(untilMs), untilMs };
  if (await records.swap(name, undefined, draft)) return true;
  const known = await getOne(records, name);
  const ended = known === undefined || Number(known.text) < nowMs;
  return ended && (await records.swap(name, known, draft)) !== undefined;
}
