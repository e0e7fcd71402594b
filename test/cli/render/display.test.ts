import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesLine, objectLine, objectsLine } from '../../../src/cli/render/bars.js';
import { colours } from '../../../src/cli/render/colour.js';
import { Display } from '../../../src/cli/render/display.js';
import { Tally } from '../../../src/cli/render/tally.js';
import type { Terminal } from '../../../src/cli/render/terminal.js';
import { displayWidth } from '../../../src/cli/render/width.js';
import { Clock, capture, events, plain } from '../fixtures.js';

function underWay(): Tally {
  const clock = new Clock();
  const tally = new Tally(clock.now);
  for (const event of events.slice(0, 10)) tally.hear(event);
  clock.ms += 4000;
  return tally;
}

describe('what the bars say', () => {
  it('totals, speed, remaining time, counts and the object in flight', () => {
    const tally = underWay();
    const style = { chalk: plain, width: 79 };
    const objects = tally.inFlight(4).map((object) => objectLine(object, style));
    const lines = [bytesLine(tally.status(), style), objectsLine(tally.status(), style), ...objects];
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      ███████████████████░░░░░░░░░░░░░░  60%  12.0 MiB / 20.0 MiB  1.00 MiB/s  ETA 8s
      0 / 1 objects  skipped 2  listed 1,500
        big                                  ██████░░░░  60%  12.0 MiB / 20.0 MiB    
      "
    `);
  });

  it.each([20, 39, 79, 200])('never takes more than %i columns, whatever the key', (width) => {
    const tally = underWay();
    const style = { chalk: plain, width };
    const keys = ['k'.repeat(1000), '照片/'.repeat(99), 'a\nb\u001b[2J'.repeat(20), '', '😀'.repeat(50)];
    const lines = [bytesLine(tally.status(), style), objectsLine(tally.status(), style)];
    for (const key of keys) lines.push(objectLine({ key, size: 2 ** 40, bytes: 2 ** 39 }, style));
    expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f]/);
  });
});

function started(terminal: Terminal, oneLine = false): Display {
  const display = new Display(terminal, plain, () => Date.now(), oneLine);
  const start = events.find((event) => event.type === 'start');
  if (start) display.report(start);
  return display;
}

describe('the display on a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('is redrawn at most twice a second, however many events come', () => {
    const terminal = capture({ columns: 80 });
    const display = started(terminal);
    const draws = (): number => terminal.text().split('objects').length - 1;
    vi.advanceTimersByTime(1000);
    const before = draws();
    for (let index = 0; index < 1000; index++) display.report({ type: 'progress', key: 'big', bytes: 1 });
    expect(draws()).toBe(before);
    vi.advanceTimersByTime(10_000);
    expect(draws() - before).toBeLessThanOrEqual(20);
    expect(draws() - before).toBeGreaterThan(10);
    display.close();
  });

  it('draws nothing before the run starts, so that an early error stands on a clean screen', () => {
    const terminal = capture({ columns: 80 });
    const display = new Display(terminal, plain, () => Date.now());
    vi.advanceTimersByTime(2000);
    display.print('xsync: there is no remote "x"\n');
    display.close();
    expect(terminal.text()).toBe('xsync: there is no remote "x"\n');
  });

  it('prints log lines above the bars, wrapped and without rests of the bars beside them', () => {
    const terminal = capture({ columns: 40 });
    const display = started(terminal);
    display.print(`failed some/key: ${'word '.repeat(20)}\n`);
    vi.advanceTimersByTime(600);
    const logged = terminal
      .text()
      .split('\n')
      .filter((line) => line.includes('word'));
    expect(logged.length).toBeGreaterThan(2);
    for (const line of logged) expect(line.endsWith('\u001b[K')).toBe(true);
    display.close();
  });

  it('gives the terminal back: bars cleared, line wrapping on, and what was still to be said is said', () => {
    const terminal = capture({ columns: 80 });
    const display = started(terminal);
    vi.advanceTimersByTime(600);
    display.print('the last word\n');
    display.close();
    display.close();
    display.print('after\n');
    const text = terminal.text();
    expect(text).toContain('the last word');
    expect(text.lastIndexOf('\u001b[?7h')).toBeGreaterThan(text.lastIndexOf('\u001b[?7l'));
    expect(text.endsWith('after\n')).toBe(true);
    const length = text.length;
    vi.advanceTimersByTime(5000);
    expect(terminal.text().length).toBe(length);
  });

  it('takes one line with --stats-one-line, and few on a low window', () => {
    const rows = (oneLine: boolean, height: number): number => {
      const terminal = Object.assign(capture({ columns: 80 }), { rows: height });
      const display = started(terminal, oneLine);
      vi.advanceTimersByTime(600);
      const lines = terminal.text().split('\n').length;
      display.close();
      return lines;
    };
    expect([rows(true, 24), rows(false, 24), rows(false, 5)]).toEqual([1, 6, 3]);
  });
});

describe('colours', () => {
  it('are for terminals alone, and not with NO_COLOR', () => {
    const level = (isTTY: boolean, env: NodeJS.ProcessEnv): number => colours({ isTTY }, env).level;
    expect([level(true, {}), level(false, {}), level(true, { NO_COLOR: '1' }), level(true, { TERM: 'dumb' })]).toEqual([
      1, 0, 0, 0,
    ]);
    expect(level(true, { NO_COLOR: '' })).toBe(1);
  });
});
