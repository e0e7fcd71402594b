/** The log of what never ends. Tests: test/e2e/watch.test.ts */
import type { RunEvent } from '../engine/events.js';
import type { ChangeLines } from './render/changes.js';
import type { Renderer } from './render/renderer.js';

/** A repeated notice is logged again after this time without it. */
const QUIET_MS = 3_600_000;
const MOST_TEXTS = 1000;

/** Logs a line per pass that did something, runs over changed keys together, and repeated notices once. */
export function passReporter(
  log: Renderer,
  changes: ChangeLines,
  listeners: readonly { hear(event: RunEvent): void }[],
): (event: RunEvent) => void {
  /** Runs over changed keys that have not ended. */
  const overKeys = new Set<string>();
  const lastMs = new Map<string, number>();
  const isNews = (text: string): boolean => {
    const now = performance.now();
    const before = lastMs.get(text);
    lastMs.delete(text);
    lastMs.set(text, now);
    const [oldest] = lastMs.keys();
    if (lastMs.size > MOST_TEXTS && oldest !== undefined) lastMs.delete(oldest);
    return before === undefined || now - before > QUIET_MS;
  };
  let started = false;
  return (event) => {
    for (const listener of listeners) listener.hear(event);
    if (event.type === 'end') {
      const ofChanges = overKeys.delete(event.summary.runId);
      if (ofChanges) changes.add(event.summary);
      return log.pass(event.summary, ofChanges);
    }
    if (event.type === 'notice' && !isNews(event.message)) return;
    if (event.type === 'start') {
      if (event.kept === false) overKeys.add(event.runId);
      if (started) return;
      started = true;
    }
    log.report(event);
  };
}
