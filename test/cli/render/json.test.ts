import { describe, expect, it, vi } from 'vitest';
import { jsonRenderer } from '../../../src/cli/render/json.js';
import type { LogLevel } from '../../../src/cli/render/levels.js';
import { XsyncError } from '../../../src/model/error.js';
import { Clock, events, summary } from '../fixtures.js';

function lines(level: LogLevel = 'debug'): Record<string, unknown>[] {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  const renderer = jsonRenderer({ write, level, statsMs: 0, now: new Clock().now });
  for (const event of events) renderer.report(event);
  renderer.end(summary, 6);
  renderer.fail(new XsyncError('wrong-region', 'no', { remedy: 'go', status: 301, cause: new Error('secret') }), 7);
  renderer.close();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('--json', () => {
  it('writes one object a line, each starting with time, level and event', () => {
    for (const line of lines()) {
      expect(Object.keys(line).slice(0, 3)).toEqual(['time', 'level', 'event']);
      expect(line.time).toBe('2026-01-02T03:04:05.000Z');
    }
  });

  it('tells every skip and every copy with its reason, and nothing for each chunk', () => {
    expect(lines().map(({ event }) => event)).toEqual([
      'start',
      'notice',
      'warning',
      'listed',
      'skip',
      'skip',
      'plan',
      'begin',
      'retry',
      'copied',
      'restart',
      'failed',
      'end',
      'error',
    ]);
    expect(lines()).toContainEqual(expect.objectContaining({ event: 'skip', key: 'same', reason: 'unchanged' }));
    expect(lines()).toContainEqual(expect.objectContaining({ event: 'plan', key: 'big', reason: 'new', parts: 3 }));
  });

  it('keeps keys verbatim, control characters included', () => {
    expect(lines()).toContainEqual(expect.objectContaining({ event: 'failed', key: 'bad\u001b[2J' }));
  });

  it('ends with the summary and the exit code, and an error names its code and remedy without its cause', () => {
    const [end, error] = lines().slice(-2);
    expect(end).toMatchObject({ level: 'notice', event: 'end', exitCode: 6, copied: { objects: 2011 } });
    expect(error).toMatchObject({ code: 'wrong-region', class: 'person', message: 'no', remedy: 'go', status: 301 });
    expect(error).toMatchObject({ exitCode: 7 });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('says less when it is told to', () => {
    expect(lines('error').map(({ event }) => event)).toEqual(['failed', 'error']);
    expect(lines('info').map(({ event }) => event)).not.toContain('skip');
  });

  it('has statistics at the asked interval, and none after the end', () => {
    vi.useFakeTimers();
    try {
      const written: string[] = [];
      const write = (text: string): void => void written.push(text);
      const renderer = jsonRenderer({ write, level: 'debug', statsMs: 1000, now: new Clock().now });
      for (const event of events.slice(0, 10)) renderer.report(event);
      const before = written.length;
      vi.advanceTimersByTime(2500);
      expect(written.length - before).toBe(2);
      expect(JSON.parse(written.at(-1) ?? '')).toMatchObject({
        event: 'stats',
        doneBytes: 12_582_912,
        planned: { objects: 1, bytes: 20_971_520 },
        inFlight: [{ key: 'big', size: 20_971_520, bytes: 12_582_912 }],
      });
      renderer.end(summary, 0);
      vi.advanceTimersByTime(10_000);
      expect(written.length - before).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });
});
