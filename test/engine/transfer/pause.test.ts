import { expect, test } from 'vitest';
import { Halt } from '../../../src/engine/flow/halt.js';
import type { Observation } from '../../../src/engine/transfer/means.js';
import { pause } from '../../../src/engine/transfer/pause.js';
import { XsyncError } from '../../../src/model/error.js';

test('a long wait is said before it begins, and ends with the run', async () => {
  const halt = new Halt(0);
  const seen: Observation[] = [];
  const observe = (observation: Observation): void => {
    seen.push(observation);
    halt.stop('interrupted', 'calls');
  };
  const fault = new XsyncError('throttled', 'SlowDown: please wait', { retryAfterMs: 60_000 });
  await expect(pause({ halt, observe }, 1, fault)).rejects.toMatchObject({ code: 'aborted' });
  expect(seen).toMatchObject([
    { type: 'notice', level: 'warn', message: /^waiting 6[01] s before the next attempt: SlowDown/ },
  ]);
  halt.dispose();
});

test('a short one is not', async () => {
  const halt = new Halt(0);
  const seen: Observation[] = [];
  await pause({ halt, observe: (observation) => void seen.push(observation) }, 1, new XsyncError('network', 'broke'));
  expect(seen).toEqual([]);
  halt.dispose();
});
