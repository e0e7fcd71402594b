import { expect, test } from 'vitest';
import { stopAt, unlessTimeIsUp } from '../../src/serverless/time.js';

test('the end comes before that of the call', () => {
  expect(stopAt({ leftMs: () => 60_000 }, 20).aborted).toBe(false);
  const over = stopAt({ leftMs: () => 20_000 }, 20);
  expect(over.aborted).toBe(true);
  expect(() => unlessTimeIsUp(over)).toThrow('the call ends before');
});
