import { afterEach, describe, expect, it, vi } from 'vitest';
import { onInterrupt } from '../../src/cli/interrupt.js';
import type { Renderer } from '../../src/cli/render/renderer.js';

const silent: Renderer = {
  report: () => {},
  end: () => {},
  say: () => {},
  pass: () => {},
  tell: () => {},
  fail: () => {},
  close: () => {},
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops in order first and at once the second time', (name) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const said: string[] = [];
    const interruption = onInterrupt({ ...silent, say: (_, text) => void said.push(text) });
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

  it('means what it usually means once the run is over', () => {
    const before = process.listenerCount('SIGINT');
    const interruption = onInterrupt(silent);
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    interruption.dispose();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
