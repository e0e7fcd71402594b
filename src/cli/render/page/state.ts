/** The one word that says how a pair is, and why. Tests: test/cli/render/page.test.ts */
import { behindMs } from '../../../engine/record/status.js';
import type { Shown } from '../../../web/board.js';
import { formatDuration, plural } from '../format.js';
import { outcomeText } from '../status.js';

/** From bad to good: of several destinations, the worst one is the rule's. */
export const MOODS = ['bad', 'warn', 'busy', 'idle', 'good'] as const;

export interface State {
  word: string;
  mood: (typeof MOODS)[number];
  /** A sentence. */
  why?: string;
}

export function stateOf({ status, rpoMs, trouble, mode }: Shown): State {
  if (trouble) {
    const { message, remedy } = trouble;
    return { word: 'Trouble', mood: 'bad', why: remedy === undefined ? message : `${message} — ${remedy}` };
  }
  if (!status) return { word: 'Not run yet', mood: 'idle' };
  const behind = rpoMs === undefined ? 0 : behindMs(status, rpoMs);
  const { history, lastRun, failed, conflicts } = status;
  const allowed = rpoMs === undefined ? '' : formatDuration(rpoMs);
  if (behind > 0 && status.synchronised) {
    return { word: 'Late', mood: 'bad', why: `More than the allowed ${allowed} behind.` };
  }
  if (lastRun?.outcome === 'broken' || lastRun?.outcome === 'guarded') {
    const said = lastRun.error ? `: ${lastRun.error.message}` : '';
    return { word: 'Stopped', mood: 'bad', why: `The last run ${outcomeText(lastRun.outcome, 0)}${said}` };
  }
  if (failed.objects > 0) return { word: 'Failures', mood: 'warn', why: `${plural(failed.objects, 'object')} failed.` };
  if (mode === 'mirror' && conflicts > 0) {
    return { word: 'Conflicts', mood: 'warn', why: `${plural(conflicts, 'open conflict')}.` };
  }
  if (failed.dropped > 0) {
    return { word: 'Failures', mood: 'warn', why: `${plural(failed.dropped, 'failed object')} given up.` };
  }
  if (!history) return { word: 'Not run yet', mood: 'idle' };
  if (!status.synchronised) return { word: 'First pass', mood: 'busy' };
  if (history.percent < 100) return { word: 'Copying', mood: 'busy' };
  return { word: 'Synchronized', mood: 'good' };
}

/** The worst of several. */
export function worst(states: readonly State[]): State | undefined {
  return MOODS.map((mood) => states.find((state) => state.mood === mood)).find((state) => state !== undefined);
}
