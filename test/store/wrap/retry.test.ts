import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { type RetryEvent, type RetryOptions, retry } from '../../../src/store/wrap/retry.js';
import { sleep } from '../../../src/store/wrap/time.js';
import { type Attempt, FakeClock, fault, scripted } from './fakes.js';

const FIVE = Buffer.from('12345');

/** A store that goes by the script, retried with a fake clock and jitter at its largest. */
function rig(script: readonly Attempt[], options: RetryOptions = {}) {
  const clock = new FakeClock();
  const events: RetryEvent[] = [];
  const inner = new MemoryStore();
  const { store, calls } = scripted(script, inner);
  const onRetry = (event: RetryEvent) => events.push(event);
  const retried = retry(store, { sleep: clock.sleep, random: () => 0.9999999, onRetry, ...options });
  return { retried, calls, clock, events, inner };
}

const failing = (times: number, code: ErrorCode): Attempt[] =>
  Array.from({ length: times }, () => ({ error: fault(code) }));

describe('retry', () => {
  test('a passing fault does not fail the object', async () => {
    const { retried, events, inner } = rig(failing(3, 'server-error'));
    await retried.put('k', FIVE);
    expect((await inner.head('k')).size).toBe(5);
    expect(events.map(({ kind, key, attempt }) => [kind, key, attempt])).toEqual([
      ['put', 'k', 1],
      ['put', 'k', 2],
      ['put', 'k', 3],
    ]);
  });

  test('waits double up to the cap, or a struggling service would be hammered', async () => {
    const { retried, clock, events } = rig(failing(9, 'throttled'));
    await retried.head('k').catch(() => undefined);
    expect(clock.slept).toEqual([199, 399, 799, 1599, 3199, 6399, 12799, 19999, 19999]);
    expect(events.map((event) => event.delayMs)).toEqual(clock.slept);
  });

  test('waits are spread over the whole interval, or all workers would come back at once', async () => {
    const { retried, clock } = rig(failing(3, 'network'), { random: () => 0.25 });
    await retried.put('k', FIVE);
    expect(clock.slept).toEqual([50, 100, 200]);
  });

  test('the service’s own wait is kept, and a mad one is not waited out', async () => {
    const asking = (retryAfterMs: number) => ({ error: fault('throttled', { retryAfterMs }) });
    const { retried, clock } = rig([asking(30_000), asking(86_400_000), asking(-5)], { random: () => 0 });
    await retried.put('k', FIVE);
    expect(clock.slept).toEqual([30_000, 300_000, 0]);
  });

  test('after the last attempt the fault itself comes out', async () => {
    const { retried, calls } = rig(failing(10, 'server-error'));
    await expect(retried.put('k', FIVE)).rejects.toMatchObject({ code: 'server-error' });
    expect(calls).toHaveLength(10);
    const once = rig(failing(10, 'server-error'), { attempts: 1 });
    await expect(once.retried.put('k', FIVE)).rejects.toMatchObject({ code: 'server-error' });
    expect(once.calls).toHaveLength(1);
  });

  test('a slip in the endpoint shows within seconds, and says where to look', async () => {
    const refused = rig(failing(10, 'network'));
    const remedy = expect.stringContaining('http or https');
    await expect(refused.retried.put('k', FIVE)).rejects.toMatchObject({ code: 'network', class: 'temporary', remedy });
    expect(refused.calls).toHaveLength(4);
    expect(refused.clock.slept.reduce((sum, ms) => sum + ms)).toBeLessThan(2000);
  });

  test('a service that answered once, be it with a refusal, is given all the attempts', async () => {
    const served = rig([{}, ...failing(10, 'unreachable')]);
    await served.retried.put('k', FIVE);
    await expect(served.retried.put('k', FIVE)).rejects.toMatchObject({ code: 'unreachable' });
    expect(served.calls).toHaveLength(11);
    const slow = rig([{ error: fault('timeout', { status: 408 }) }, ...failing(9, 'unreachable')]);
    await expect(slow.retried.put('k', FIVE)).rejects.toMatchObject({ code: 'unreachable' });
    expect(slow.calls).toHaveLength(10);
  });

  test('what one run heard of a service, the next one knows, and each is told of its own retries alone', async () => {
    const clock = new FakeClock();
    const { store, calls } = scripted([{}, ...failing(10, 'unreachable')], new MemoryStore());
    const contact = { answered: false };
    const told: string[] = [];
    const run = (name: string) =>
      retry(store, { contact, sleep: clock.sleep, onRetry: ({ kind }) => told.push(`${name} ${kind}`) });
    const [first, second] = [run('first'), run('second')];
    await first.put('k', FIVE);
    await expect(second.head('k')).rejects.toMatchObject({ code: 'unreachable' });
    expect(calls).toHaveLength(11);
    expect(told).toEqual(Array(9).fill('second head'));
  });

  test.each<ErrorCode>(['access-denied', 'object-not-found', 'precondition-failed', 'source-changed', 'aborted'])(
    '%s is not tried again',
    async (code) => {
      const { retried, calls } = rig(failing(1, code));
      await expect(retried.put('k', FIVE)).rejects.toMatchObject({ code });
      expect(calls).toHaveLength(1);
    },
  );

  test('a fault of ours is not tried again', async () => {
    const { retried, calls } = rig([{ error: new TypeError('ours') }]);
    await expect(retried.put('k', FIVE)).rejects.toThrow('ours');
    expect(calls).toHaveLength(1);
  });
});

describe('completion', () => {
  test.each<ErrorCode>(['network', 'timeout', 'server-error', 'invalid-response', 'truncated'])(
    'after %s the object may be complete, so the caller looks before anything is sent again',
    async (code) => {
      const { retried, calls } = rig(failing(1, code));
      const completing = retried.completeUpload({ key: 'k', uploadId: 'u' }, []);
      await expect(completing).rejects.toMatchObject({ code });
      expect(calls).toHaveLength(1);
    },
  );

  test.each<ErrorCode>(['throttled', 'clock-skew', 'unreachable'])(
    'after %s it cannot be complete, and is asked for again',
    async (code) => {
      const { retried, calls, inner } = rig([{}, {}, ...failing(1, code)]);
      const upload = await retried.createUpload('k');
      const { etag } = await retried.uploadPart(upload, 1, FIVE);
      await retried.completeUpload(upload, [{ partNumber: 1, etag }]);
      expect((await inner.head('k')).size).toBe(5);
      expect(calls.map((call) => call.kind)).toEqual([
        'createUpload',
        'uploadPart',
        'completeUpload',
        'completeUpload',
      ]);
    },
  );
});

describe('progress', () => {
  const reset = (bytes: number): Attempt => ({ bytes, error: fault('network') });

  test('a line that gets further each time is never given up', async () => {
    const { retried, events } = rig([1, 2, 3, 4, 5, 6, 7, 8].map(reset), { attempts: 2 });
    await retried.put('k', FIVE);
    expect(events.map((event) => event.attempt)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('a line that breaks at the same place each time is given up', async () => {
    const { retried, calls } = rig([4, 4, 3, 4, 5].map(reset), { attempts: 3 });
    await expect(retried.put('k', FIVE)).rejects.toMatchObject({ code: 'network' });
    expect(calls).toHaveLength(3);
  });

  test('the caller sees each byte once, or the progress would pass 100 %', async () => {
    const { retried } = rig([3, 2, 4].map(reset));
    const seen: number[] = [];
    await retried.put('k', FIVE, {
      pace: (bytes) => {
        seen.push(bytes);
        return undefined;
      },
    });
    expect(seen).toEqual([3, 1, 1]);
  });
});

describe('aborting', () => {
  test('ends the wait at once, or Ctrl-C would hang for twenty seconds', async () => {
    const controller = new AbortController();
    const { store, calls } = scripted(failing(5, 'network'));
    const onRetry = () => setImmediate(() => controller.abort());
    const retried = retry(store, { baseMs: 600_000, capMs: 600_000, random: () => 0.9, sleep, onRetry });
    await expect(retried.put('k', FIVE, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(calls).toHaveLength(1);
  });

  test('a fault after the abort is not slept on', async () => {
    const controller = new AbortController();
    controller.abort();
    const { retried, clock } = rig(failing(5, 'network'));
    await expect(retried.put('k', FIVE, { signal: controller.signal })).rejects.toMatchObject({ code: 'network' });
    expect(clock.slept).toEqual([]);
  });
});
