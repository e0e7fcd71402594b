import type { CensusView } from '../census.js';
import type { Summary } from '../events.js';
import type { RunPair } from '../pair.js';
import type { Forecast } from '../plan/forecast.js';
import { costOf } from '../plan/price.js';
import type { Fold } from './fold.js';

export interface SummaryParts {
  /** As the run sees it: its traffic is the run's alone. */
  pair: RunPair;
  runId: string;
  /** ms since 1970. */
  startedMs: number;
  dryRun: boolean;
  /** Of the run's events. */
  fold: Fold;
  census: CensusView;
  /** Of a dry run. */
  forecast: Pick<Forecast, 'copied' | 'requests' | 'traffic'>;
  /** See `Summary`. */
  oddity: () => string | undefined;
}

/**
 * @returns what builds the summary of a run that starts now, as it stands at each call. `broken`: an error ended the run
 */
export function summarizer(parts: SummaryParts): (stopped?: Summary['stopped'], broken?: boolean) => Summary {
  const started = performance.now();
  return (stopped, broken = false) => {
    const summary = summaryOf(parts, stopped !== undefined || broken);
    return { ...summary, elapsedMs: performance.now() - started, stopped };
  };
}

/** @param cut the run ended before it had compared all that the source has */
function summaryOf(parts: SummaryParts, cut: boolean): Summary {
  const { pair, runId, startedMs, dryRun, fold, census, forecast, oddity } = parts;
  const { sums, uncopied, heldNow } = fold;
  const copied = dryRun ? forecast.copied : sums.copied;
  const traffic = { source: pair.source.traffic(), destination: pair.dest.traffic() };
  const done = copied.objects + sums.skipped.objects + uncopied.objects + heldNow.objects;
  return {
    runId,
    source: pair.source.text,
    destination: pair.dest.text,
    dryRun,
    startedMs,
    elapsedMs: 0,
    ...sums,
    copied: { ...copied },
    deleted: { ...sums.deleted, left: dryRun ? 0 : census.doomed },
    oddity: oddity(),
    unfinished: {
      objects: (cut ? Math.max(census.listed, census.seen) : census.seen) + census.unseen - done,
      ...(cut && !fold.sourceListed && { atLeast: true }),
    },
    traffic,
    planned: dryRun ? forecast.requests : undefined,
    cost: costOf(pair, dryRun ? forecast.traffic : traffic),
  };
}
