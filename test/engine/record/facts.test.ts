/** What the manifest keeps as JSON outlives the version that wrote it, and a disk may damage it. */
import { describe, expect, it } from 'vitest';
import {
  LIVE,
  PASS,
  PROGRESS,
  readFact,
  readRun,
  runText,
  unreadable,
  writeFact,
} from '../../../src/engine/record/facts.js';
import { liveSinceMs, synchronisedMs } from '../../../src/engine/record/journal.js';
import { progressOfPass } from '../../../src/engine/record/progress.js';
import { statusOf } from '../../../src/engine/record/status.js';
import { readRoute, writeRoute } from '../../../src/engine/tune/route.js';
import { summary } from '../../cli/fixtures.js';
import { bytesOf, Pair } from '../support.js';

/** As the first release wrote them, without a version. */
const SUM = { objects: 2, bytes: 20 };
const PROGRESS_ROW = {
  ...{ runId: 'r', command: 'copy', startedMs: 1, updatedMs: 2, listed: true, complete: true },
  ...{ source: SUM, excluded: SUM, synced: SUM, pending: SUM, rate: SUM, last: SUM },
};
const PASS_ROW = { startedMs: 1, after: 'k', passed: { looked: 1, ...SUM }, savedMs: 2, shape: 'all' };
const RUN_ROW = { summary, curve: [], sizes: [{ upTo: 4, ...SUM }], slowest: [] };

const { pending: _, ...OLDER_PROGRESS } = PROGRESS_ROW;
const { passed: __, ...OLDER_PASS } = PASS_ROW;
const { held: ___, ...OLDER_SUMMARY } = summary;

/** Not JSON; JSON of another shape; the shape of an older version; a newer one. */
const BAD_PROGRESS = [
  '{"runId":',
  '[1]',
  JSON.stringify(OLDER_PROGRESS),
  JSON.stringify({ ...PROGRESS_ROW, version: 2 }),
];
const BAD_PASS = ['\u0000', '{"after":"k"}', JSON.stringify(OLDER_PASS), JSON.stringify({ ...PASS_ROW, version: 2 })];
const BAD_RUN = ['', '{}', JSON.stringify({ ...RUN_ROW, summary: OLDER_SUMMARY }), '{"summary":null}', 'null'];

function holding(facts: Record<string, string>): { getFact(name: string): string | undefined } {
  return { getFact: (name) => facts[name] };
}

describe('what the first release wrote', () => {
  it('is read as it was', () => {
    expect(readFact(holding({ progress: JSON.stringify(PROGRESS_ROW) }), PROGRESS)).toEqual(PROGRESS_ROW);
    expect(readFact(holding({ pass: JSON.stringify(PASS_ROW) }), PASS)).toEqual(PASS_ROW);
    expect(readFact(holding({ live: '1795227163759' }), LIVE)).toBe(1_795_227_163_759);
    expect(readRun({ detail: JSON.stringify(RUN_ROW) })).toEqual(RUN_ROW);
  });

  it('is what is written now, but for a version, which it does not look at', () => {
    const facts = new Map<string, string>();
    const manifest = { setFact: (name: string, value: string) => void facts.set(name, value) };
    writeFact(manifest, PROGRESS, PROGRESS_ROW);
    writeFact(manifest, LIVE, 7);
    expect(JSON.parse(facts.get('progress') ?? '')).toEqual({ ...PROGRESS_ROW, version: 1 });
    expect(facts.get('live')).toBe('7');
    expect(JSON.parse(runText(RUN_ROW))).toEqual({ ...RUN_ROW, version: 1 });
  });

  it('an hour of a route stays known beside a version', () => {
    const facts = new Map([['route-settings', '{"12":{"parts":16},"last":{"parts":8}}']]);
    const manifest = {
      getFact: (name: string) => facts.get(name),
      setFact: (name: string, value: string) => void facts.set(name, value),
    };
    const noon = new Date('2026-01-01T12:30:00Z');
    writeRoute(manifest, noon, { objects: 4 });
    expect(readRoute(manifest, noon)).toEqual({ parts: 16, objects: 4 });
  });
});

describe('what cannot be read counts as absent', () => {
  it.each(BAD_PROGRESS)('how far a pass is: %j', (text) => {
    expect(progressOfPass(holding({ progress: text }))).toBeUndefined();
  });

  it.each(BAD_PASS)('an interrupted pass: %j', (text) => {
    expect(readFact(holding({ pass: text }), PASS)).toBeUndefined();
  });

  it.each(BAD_RUN)('a run: %j', (detail) => {
    expect(readRun({ detail })).toBeUndefined();
  });

  it.each(['', 'soon', '{}', 'null'])('an instant: %j', (text) => {
    expect(synchronisedMs(holding({ synchronised: text }), 1)).toBeUndefined();
    expect(liveSinceMs(holding({ live: text }), 1)).toBeUndefined();
  });
});

describe('a pair whose manifest has such rows', () => {
  async function damaged(progress: string, pass: string, detail: string): Promise<Pair> {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', 10));
    await pair.copy();
    for (const [name, text] of Object.entries({ progress, pass, synchronised: 'x', live: 'x' })) {
      pair.manifest.setFact(name, text);
    }
    const at = Date.now() + 1000;
    pair.manifest.putRun({ id: 'bad', command: 'copy', startedMs: at, endedMs: at, outcome: 'complete', detail });
    return pair;
  }

  it.each([0, 1, 2, 3])('has a status all the same, which says what is missing (%d)', async (row) => {
    const pair = await damaged(BAD_PROGRESS[row] ?? '', '', BAD_RUN[row] ?? '');
    const status = statusOf(pair.manifest, Date.now());
    expect(status).toMatchObject({ known: 1, pending: { objects: 0 }, lastRun: undefined, synchronised: undefined });
    expect(unreadable(pair.manifest)).toEqual([
      'how far the latest pass is',
      'up to when the pair is synchronized',
      'the report of run bad',
    ]);
  });

  it.each([0, 1, 2, 3])('is copied all the same, and the run writes them anew (%d)', async (row) => {
    const pair = await damaged(BAD_PROGRESS[row] ?? '', BAD_PASS[row] ?? '', BAD_RUN[row] ?? '');
    await pair.source.put('b', bytesOf('b', 10));
    const run = await pair.copy({ resume: { from: 1, shape: 'all' } });
    expect(run).toMatchObject({ copied: { objects: 1 }, skipped: { objects: 1 } });
    const good = pair.manifest.runs(10).find(({ id }) => id !== 'bad');
    if (good) pair.manifest.putRun({ ...good, id: 'bad' });
    expect(unreadable(pair.manifest)).toEqual([]);
    expect(statusOf(pair.manifest, Date.now())).toMatchObject({
      history: { objects: 2, ofObjects: 2, percent: 100 },
      lastRun: { outcome: 'complete', copied: { objects: 1 } },
    });
  });
});
