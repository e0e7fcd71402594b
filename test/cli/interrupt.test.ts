import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Io } from '../../src/cli/context.js';
import { onInterrupt } from '../../src/cli/interrupt.js';
import type { Renderer } from '../../src/cli/render/renderer.js';

const silent: Renderer = {
  report: () => {},
  end: () => {},
  say: () => {},
  pass: () => {},
  tell: () => {},
  of: () => silent,
  fail: () => {},
  close: () => {},
};

const io = (isTTY: boolean): Io => ({
  stdin: process.stdin,
  stdout: Object.assign(new PassThrough(), { isTTY: false }),
  stderr: Object.assign(new PassThrough(), { isTTY }),
  env: {},
  now: Date.now,
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops in order first and at once the second time', (name) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const said: string[] = [];
    const interruption = onInterrupt({ io: io(true), log: { ...silent, say: (_, text) => void said.push(text) } });
    try {
      expect(interruption.signal.aborted).toBe(false);
      process.emit(name);
      expect(interruption.signal.aborted).toBe(true);
      expect(said).toEqual(['stopping: finishing or checkpointing what is in flight (again to leave at once)']);
      expect(exit).not.toHaveBeenCalled();
      process.emit(name);
      expect(exit).toHaveBeenCalledWith(130);
    } finally {
      interruption.dispose();
    }
  });

  it('SIGHUP without a terminal opens the log file again and stops nothing (nohup)', () => {
    let reopened = 0;
    const interruption = onInterrupt({ io: io(false), log: { ...silent, reopen: () => void reopened++ } });
    try {
      process.emit('SIGHUP');
      expect([interruption.signal.aborted, reopened]).toEqual([false, 1]);
      process.emit('SIGTERM');
      expect(interruption.signal.aborted).toBe(true);
    } finally {
      interruption.dispose();
    }
  });

  it('means what it usually means once the run is over', () => {
    const before = process.listenerCount('SIGINT');
    const interruption = onInterrupt({ io: io(true), log: silent });
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    interruption.dispose();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
