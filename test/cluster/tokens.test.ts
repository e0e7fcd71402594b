import { expect, test } from 'vitest';
import { type RateCount, Tokens } from '../../src/cluster/tokens.js';

/** One clock and one count, as of one Redis server; waiting moves the clock. */
function world() {
  let nowMs = 0;
  let second = { untilMs: 0, sum: 0 };
  const count: RateCount = {
    async add(_name, requests) {
      if (nowMs >= second.untilMs) second = { untilMs: nowMs + 1000, sum: 0 };
      second.sum += requests;
      return { sum: second.sum, leftMs: second.untilMs - nowMs };
    },
  };
  const worker = () =>
    new Tokens(
      count,
      { store: 's3', perSecond: 100 },
      () => nowMs,
      async (ms) => {
        nowMs = Math.max(nowMs, nowMs + ms);
      },
    );
  return { worker, now: () => nowMs };
}

test('two workers together send no more than the rate in any second', async () => {
  const { worker, now } = world();
  const workers = [worker(), worker()];
  const sent: number[] = [];
  for (let n = 0; n < 450; n++) {
    await workers[n % 2]?.take();
    sent.push(now());
  }
  const perSecond = new Map<number, number>();
  for (const ms of sent) perSecond.set(Math.floor(ms / 1000), (perSecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
  expect([...perSecond.values()]).toEqual([100, 100, 100, 100, 50]);
});

test('many that ask at once share one question', async () => {
  let asked = 0;
  const tokens = new Tokens(
    {
      add: async (_name, requests) => {
        asked += requests;
        return { sum: asked, leftMs: 1000 };
      },
    },
    { store: 's3', perSecond: 100 },
    () => 0,
  );
  await Promise.all(Array.from({ length: 5 }, () => tokens.take()));
  expect(asked).toBe(5);
});
