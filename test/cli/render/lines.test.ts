import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../../src/cli/render/levels.js';
import { bareMessage, eventLine, statsLine } from '../../../src/cli/render/lines.js';
import { Tally } from '../../../src/cli/render/tally.js';
import { textRenderer } from '../../../src/cli/render/text.js';
import type { Summary } from '../../../src/engine/events.js';
import { XsyncError } from '../../../src/model/error.js';
import { Clock, events, plain, summary } from '../fixtures.js';

function log(level: LogLevel, stamped = false): string {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  const { now } = new Clock();
  const renderer = textRenderer({
    write,
    level,
    chalk: plain,
    stamped,
    statsMs: 0,
    width: 100,
    oneLine: true,
    idleSilent: false,
    now,
  });
  for (const event of events) renderer.report(event);
  renderer.end(summary, 6);
  renderer.fail(new XsyncError('locked', 'this pair is in use', { remedy: 'Wait.' }), 5);
  renderer.close();
  return `\n${text}`;
}

describe('a sync in cron that has nothing to do', () => {
  const idle = {
    ...summary,
    ...{ copied: { objects: 0, bytes: 0 }, failed: { objects: 0, byClass: {}, list: [] } },
    deleted: { objects: 0, bytes: 0, left: 0 },
  };
  const said = (held: Summary['held']): string => {
    let text = '';
    const write = (line: string): void => {
      text += line;
    };
    const log = textRenderer({
      ...{ write, level: 'notice', chalk: plain, stamped: false, statsMs: 0, width: 80, oneLine: false },
      ...{ idleSilent: true, now: () => 0 },
    });
    log.end({ ...idle, held }, 0);
    log.close();
    return text;
  };

  it('says why its exit code is not 0 when that is for what failed before', () => {
    expect(said({ objects: 3, byClass: { person: 2 }, dropped: 1 })).toBe(
      'Nothing to do: s3://src/data → shanghai:dst/data; on hold: 3 objects that failed before: needs action 2 · ' +
        'given up 1 (xsync failed lists them)\n',
    );
  });

  it('says nothing when all is well, or what is left was given up', () => {
    expect(said({ objects: 1, byClass: {}, dropped: 1 })).toBe('');
    expect(said({ objects: 0, byClass: {}, dropped: 0 })).toBe('');
  });
});

describe('the log', () => {
  it('with -q says errors only', () => {
    expect(log('error')).toMatchInlineSnapshot(`
      "
      failed bad\\x1b[2J: the bytes that arrived are not those that were sent (3 attempts) — Try again.
      xsync: this pair is in use — Wait.
      "
    `);
  });

  it('says by default what a person has to know, and the end', () => {
    expect(log('notice')).toMatchInlineSnapshot(`
      "
      warning: the source lists out of order
      failed bad\\x1b[2J: the bytes that arrived are not those that were sent (3 attempts) — Try again.
      Finished with failures: copied 2,011 objects, 1.23 GiB; skipped 412; failed 2; 1m23s, 13.8 MiB/s, 24.1 objects/s
      xsync: this pair is in use — Wait.
      "
    `);
  });

  it('with -v has a line for each object that was copied', () => {
    expect(log('info')).toContain('\ncopied big  20.0 MiB, 3 parts, 1 already sent, verified by MD5 of parts, 1.2s\n');
    expect(log('info')).not.toMatch(/^(skip|retry|queue) /m);
  });

  it('with -vv gives the reason of every skip and every copy, and the retries', () => {
    expect(log('debug')).toMatchInlineSnapshot(`
      "
      ./a → s3://b, manifest /state/a-b.db
      the clock was corrected by 3600 s
      warning: the source lists out of order
      skip same  unchanged
      skip left.bak  filtered, --exclude "*.bak"
      queue big  new, 20.0 MiB, 3 parts
      retry destination uploadPart p/big: SlowDown  in 0.3s, attempt 1
      copied big  20.0 MiB, 3 parts, 1 already sent, verified by MD5 of parts, 1.2s
      restart moving  the source changed while it was read
      failed bad\\x1b[2J: the bytes that arrived are not those that were sent (3 attempts) — Try again.
      Finished with failures: copied 2,011 objects, 1.23 GiB; skipped 412; failed 2; 1m23s, 13.8 MiB/s, 24.1 objects/s
      xsync: this pair is in use — Wait.
        code: locked (temporary)
      "
    `);
  });

  it('in a file has time and level on every line, and one line for each event whatever the key holds', () => {
    const lines = log('debug', true).trim().split('\n');
    expect(lines.every((line) => /^2026-01-02T03:04:05Z (ERROR|NOTICE|INFO|DEBUG) +\S/.test(line))).toBe(true);
    expect(lines).toContain('2026-01-02T03:04:05Z DEBUG  skip same  unchanged');
  });

  it('shows in a dry run by default what would be copied', () => {
    const plan = events.find((event) => event.type === 'plan');
    expect(plan && eventLine(plan, plain, true)).toBe('would copy big  new, 20.0 MiB, 3 parts');
  });
});

describe('a failure', () => {
  it('names its key once', () => {
    expect(bareMessage({ key: 'a/b', message: 'p/a/b: gone' })).toBe('gone');
    expect(bareMessage({ key: 'b', message: 'b: gone' })).toBe('gone');
    expect(bareMessage({ key: 'b', message: 'timeout on ab: gone' })).toBe('timeout on ab: gone');
    expect(bareMessage({ key: 'b', message: 'read failed: x/b: gone' })).toBe('read failed: x/b: gone');
    expect(bareMessage({ key: '', message: ': gone' })).toBe(': gone');
  });
});

describe('the statistics', () => {
  it('tell bytes, speed, remaining time and counts on one line', () => {
    const clock = new Clock();
    const tally = new Tally(clock.now);
    for (const event of events.slice(0, 10)) tally.hear(event);
    clock.ms += 4000;
    expect(statsLine(tally.status())).toMatchInlineSnapshot(
      `"12.0 MiB / 20.0 MiB, 60%, 1.00 MiB/s, ETA 8s; 0 / 1 object; skipped 2; listed 1,500"`,
    );
  });
});
