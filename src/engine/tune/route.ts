/**
 * The settings found for a route, stored in its manifest by hour of day: cross-border lines are slow at fixed hours.
 * Tests: test/engine/tune/slots.test.ts
 */
import type { Manifest } from '../../manifest/port.js';
import { ROUTE, readFact, writeFact } from '../record/facts.js';
import type { Found } from './tune.js';

/** Empty when nothing is known. */
export function readRoute(manifest: Pick<Manifest, 'getFact'>, at: Date): Found {
  const kept = readFact(manifest, ROUTE) ?? {};
  return kept[hourOf(at)] ?? kept.last ?? {};
}

export function writeRoute(manifest: Pick<Manifest, 'getFact' | 'setFact'>, at: Date, settled: Found): void {
  const kept = readFact(manifest, ROUTE);
  const known = Object.fromEntries(Object.entries(settled).filter(([, value]) => value !== undefined));
  const { readSize, ...before } = readRoute(manifest, at);
  // Whoever measured parts knows whether reads should be divided.
  const now = { ...before, ...(settled.parts === undefined && readSize !== undefined && { readSize }), ...known };
  writeFact(manifest, ROUTE, { ...kept, [hourOf(at)]: now, last: now });
}

function hourOf(at: Date): string {
  return String(at.getUTCHours());
}
