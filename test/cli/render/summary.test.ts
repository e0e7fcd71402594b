import { describe, expect, it } from 'vitest';
import { keptLine, summaryLine, summaryLines } from '../../../src/cli/render/summary.js';
import { displayWidth } from '../../../src/cli/render/width.js';
import type { Summary } from '../../../src/engine/events.js';
import { XsyncError } from '../../../src/model/error.js';
import { plain, summary } from '../fixtures.js';

const at80 = { chalk: plain, width: 79 };

describe('the summary', () => {
  it('says what was copied, proven, resumed, skipped, failed and spent, and what to do next', () => {
    expect(`\n${summaryLines(summary, undefined, at80).join('\n')}\n`).toMatchInlineSnapshot(`
      "

      Finished with failures: s3://src/data → shanghai:dst/data
      Copied       2,011 objects, 1.23 GiB
      Verified     MD5 1,800 · CRC-64 200 · size only 11
      Resumed      2 objects: 14 parts, 112 MiB already sent by an earlier run
      Skipped      412 objects, 94.4 MiB: unchanged 400 · same-checksum 12
      Failed       2 objects: permanent 1 · needs action 1
      Retried      5 requests, 1 restart of objects that changed while being read
      Listed       source 2,423 · destination 2,021
      Requests     source: 2,055, 1.12 GiB in (read 2,052 · list 3)
                   destination: 2,055, 1.12 GiB out (put 2,009 · uploadPart 43 ·
                   list 3)
      Elapsed      1m23s, 13.8 MiB/s, 24.1 objects/s

      Failures:
        cold/tape\\n1.tar: the object is archived
          → Restore it first.
        long/../key: the destination cannot hold this key

      To retry failed objects, run xsync retry: xsync sync may skip them until they
      or the remotes' config change.
      "
    `);
  });

  it('says how many objects a stop left for the next run', () => {
    const stopped = { ...summary, stopped: 'interrupted' as const, unfinished: { objects: 37 } };
    expect(summaryLines(stopped, undefined, at80)).toContain('Remaining    37 objects for the next run');
    expect(summaryLines(summary, undefined, at80).join()).not.toContain('for the next run');
  });

  it('of a dry run says what it would cost, and that nothing was changed', () => {
    const dry = {
      ...summary,
      dryRun: true,
      verified: {},
      resumed: { objects: 0, parts: 0, bytes: 0 },
      failed: { objects: 0, byClass: {}, list: [] },
      retries: 0,
      restarts: 0,
      planned: { source: { read: 2052 }, destination: { put: 2009, uploadPart: 43 } },
      traffic: {
        source: { requests: { list: 3 }, bytesIn: 0, bytesOut: 0 },
        destination: { requests: { list: 3 }, bytesIn: 0, bytesOut: 0 },
      },
    };
    expect(`\n${summaryLines(dry, undefined, at80).join('\n')}\n`).toMatchInlineSnapshot(`
      "

      Dry run: s3://src/data → shanghai:dst/data
      Would copy   2,011 objects, 1.23 GiB
      Skipped      412 objects, 94.4 MiB: unchanged 400 · same-checksum 12
      Listed       source 2,423 · destination 2,021
      Would cost   source: 2,052 (read 2,052)
                   destination: 2,052 (put 2,009 · uploadPart 43)
      Requests     source: 3 (list 3)
                   destination: 3 (list 3)
      Elapsed      1m23s

      Nothing was changed. To make these changes, run again without --dry-run.
      "
    `);
  });

  it('of a mirror names its sides a and b', () => {
    const mirror = {
      copied: { objects: 11, bytes: 1100 },
      deleted: { objects: 0, bytes: 0 },
      conflicts: { objects: 0, kept: 0, open: 0 },
    };
    const lines = summaryLines({ ...summary, mirror }, undefined, at80);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringContaining('s3://src/data ↔ shanghai:dst/data'),
        'Copied       2,011 objects, 1.23 GiB: a → b 2,000 · b → a 11',
        'Listed       a 2,423 · b 2,021',
        'Requests     a: 2,055, 1.12 GiB in (read 2,052 · list 3)',
        expect.stringMatching(/^ {13}b: 2,055/),
      ]),
    );
    expect(lines.slice(0, 12).join()).not.toMatch(/destination/);
    expect(lines.at(-1)).toBe('To retry failed objects, run the same command again.');
  });

  it('with prices says what a run has cost, and of a dry run what it would, acceleration by itself', () => {
    const cost = [
      { currency: 'USD', amount: 12.3, acceleration: 4 },
      { currency: 'CNY', amount: 0.25, acceleration: 0 },
    ];
    const rows = (of: Summary): string[] =>
      summaryLines({ ...of, cost }, undefined, at80).filter((line) => /USD/.test(line));
    expect(rows(summary)).toEqual(['Cost         USD 12.30 + CNY 0.2500, of which acceleration USD 4.00']);
    const dry = { ...summary, dryRun: true, planned: { source: { read: 1 }, destination: { put: 1 } } };
    expect(rows(dry)).toEqual(['             USD 12.30 + CNY 0.2500, of which acceleration USD 4.00']);
  });

  it('of an interrupted run says how to resume', () => {
    const text = summaryLines({ ...summary, stopped: 'interrupted' }, undefined, at80).join('\n');
    expect(text).toContain('Interrupted: s3://src/data');
    expect(text).toContain('To resume, run the same command again');
  });

  it('of a run that an error ended does not claim that it is done', () => {
    const text = summaryLines(summary, new XsyncError('network', 'gone'), at80).join('\n');
    expect(text).toContain('Ended with an error');
    expect(text).not.toMatch(/Done|Finished|same command/);
  });

  it('says that a guard refused to delete, as the status does', () => {
    const error = new XsyncError('guard', 'too many');
    expect(summaryLines(summary, error, at80).join('\n')).toContain('Refused to delete: s3://src/data');
    expect(summaryLine(summary, error)).toMatch(/^Refused to delete: /);
  });

  it('recommends the same command only for failures that may succeed later', () => {
    const step = (byClass: (typeof summary)['failed']['byClass']): string | undefined =>
      summaryLines({ ...summary, failed: { objects: 2, byClass, list: [] } }, undefined, at80).at(-1);
    expect(step({ temporary: 2 })).toBe('To retry failed objects, run the same command again.');
    const text = summaryLines(summary, undefined, at80).join(' ');
    expect(text).toContain('run xsync retry');
    expect(text).not.toContain('same command');
  });

  it.each([
    [{ unknown: 1, 'not-ours': 1 }, '2 objects that xsync did not write; --delete-unknown deletes them'],
    [{ unknown: 1 }, '1 object that xsync did not write; --delete-unknown deletes it'],
    [{ 'changed-at-destination': 1 }, '1 object changed since xsync wrote it; --delete-unknown deletes it'],
    [
      { unknown: 1, 'changed-at-destination': 2 },
      '1 object that xsync did not write, 2 objects changed since xsync wrote them; --delete-unknown deletes them',
    ],
  ])('says of %j what a sync kept, and how it would not', (byReason, text) => {
    const objects = Object.values(byReason).reduce((sum, count) => sum + count, 0);
    const kept = { ...summary, kept: { objects, bytes: 10, byReason } };
    expect(summaryLines(kept, undefined, { chalk: plain, width: 200 })).toContain(`Kept         ${text}`);
    expect(keptLine(kept)).toBe(`Kept ${text}: s3://src/data → shanghai:dst/data`);
    expect(summaryLine(kept)).toContain(`; kept ${objects}; `);
  });

  it.each([20, 40, 60, 79, 120])('keeps to %i columns', (width) => {
    for (const line of summaryLines(summary, undefined, { chalk: plain, width })) {
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, 33));
    }
  });

  it('names ten failures and counts the rest', () => {
    const list = Array.from({ length: 100 }, (_, index) => ({ ...summary.failed.list[0], key: `k${index}` }));
    const failed = { objects: 1234, byClass: { person: 1234 }, list: list as typeof summary.failed.list };
    const text = summaryLines({ ...summary, failed }, undefined, at80).join('\n');
    expect(text).toContain('The first 10 of 1,234 failures:');
    expect(text).toContain('  k9:');
    expect(text).not.toContain('  k10:');
  });

  it('fits on one line with --stats-one-line', () => {
    expect(summaryLine(summary)).toMatchInlineSnapshot(
      `"Finished with failures: copied 2,011 objects, 1.23 GiB; skipped 412; failed 2; 1m23s, 13.8 MiB/s, 24.1 objects/s"`,
    );
  });
});
