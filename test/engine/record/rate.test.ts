import { describe, expect, test } from 'vitest';
import { Rate } from '../../../src/engine/record/rate.js';

describe('the rate', () => {
  test('is that of the last ten seconds, by the time that really passed', () => {
    const rate = new Rate(0);
    let sent = 0;
    for (let second = 1; second <= 30; second++) {
      sent += second <= 20 ? 1000 : 500;
      rate.sample(second * 1000, 0, sent);
    }
    expect(rate.perSecond(30_000, 0, sent).bytes).toBe(500);
    // A clock tick that came late is no burst.
    sent += 2000;
    rate.sample(34_000, 0, sent);
    expect(rate.perSecond(34_000, 0, sent).bytes).toBe(500);
  });

  test('of a run that has only begun is nothing', () => {
    expect(new Rate(0).perSecond(0, 0, 0)).toEqual({ objects: 0, bytes: 0 });
  });

  test('counts objects and bytes each by themselves, also between two samples', () => {
    const rate = new Rate(5000);
    rate.sample(5100, 1, 10);
    expect(rate.perSecond(7000, 4, 100)).toEqual({ objects: 2, bytes: 50 });
  });

  test('of what does not move any more falls to nothing', () => {
    const rate = new Rate(0);
    for (let second = 1; second <= 5; second++) rate.sample(second * 1000, second, second * 100);
    expect(rate.perSecond(60_000, 5, 500)).toEqual({ objects: 0, bytes: 0 });
  });
});
