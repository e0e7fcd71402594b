import { expect, test } from 'vitest';
import { refuseShortCalls, stopAt, unlessTimeIsUp } from '../../src/serverless/time.js';

test('the end comes before that of the call', () => {
  expect(stopAt({ leftMs: () => 60_000 }, 20).aborted).toBe(false);
  const over = stopAt({ leftMs: () => 20_000 }, 20);
  expect(over.aborted).toBe(true);
  expect(() => unlessTimeIsUp(over)).toThrow('the call ends before');
});

test('a call that is too short for anything is refused, so that it does not call itself for ever', () => {
  expect(() => refuseShortCalls({ leftMs: () => 30_001 }, 30)).not.toThrow();
  expect(() => refuseShortCalls({ leftMs: () => 30_000 }, 30)).toThrow(
    'a call of 30 s does nothing: XSYNC_MARGIN_SECONDS keeps its last 30 s',
  );
});
