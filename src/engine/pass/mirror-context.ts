/** The other direction of a mirror's run, and what both share. Tests: test/engine/mirror.test.ts */
import { Census, MirrorCensus } from '../census.js';
import { reversedPair } from '../pair.js';
import { bothForecasts, Forecast } from '../plan/forecast.js';
import { Committer } from '../record/commit.js';
import { ConflictBook } from './conflict-book.js';
import type { MirrorContext, RunContext } from './context.js';

type Parts = Pick<RunContext, 'startedMs' | 'pass' | 'census' | 'forecast' | 'claims' | 'halt' | 'committer' | 'emit'>;

/** Undefined if the run goes one way. @param make makes the context of a direction */
export function mirrorOf(
  context: RunContext,
  make: (pair: RunContext['pair'], parts: Parts) => RunContext,
): MirrorContext | undefined {
  const { pair, startedMs, claims, halt, census, emit, options } = context;
  if (!pair.reverse) return undefined;
  const reversed = reversedPair(pair, pair.reverse);
  const back = make(reversed, {
    ...{ startedMs, claims, halt, census: new Census(), forecast: new Forecast() },
    pass: { startedMs, passed: { looked: 0, objects: 0, bytes: 0 } },
    committer: new Committer(reversed.manifest, (error) => halt.fail(error)),
    emit: (event) => emit({ ...event, direction: 'b-to-a' }),
  });
  const conflicts = new ConflictBook(pair, emit, { dryRun: options.dryRun, startedMs });
  return { back, conflicts, census: new MirrorCensus(census, back.census) };
}

/** What the summary of a run shows, of both directions where there are two. */
export function shownOf({ census, forecast, mirror }: RunContext): {
  census: RunContext['census'] | MirrorCensus;
  forecast: Pick<Forecast, 'copied' | 'requests' | 'traffic'>;
} {
  if (!mirror) return { census, forecast };
  return { census: mirror.census, forecast: bothForecasts(forecast, mirror.back.forecast) };
}
