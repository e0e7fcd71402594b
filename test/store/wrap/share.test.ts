/** Long waits are worth telling a person: the first of those that overlap. */
import { afterEach, expect, test, vi } from 'vitest';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { type RetryNotice, share } from '../../../src/store/wrap/share.js';
import { fault, scripted } from './fakes.js';

afterEach(() => void vi.useRealTimers());

test('the first of the long waits is marked, and the next one after its end', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const asking = (retryAfterMs?: number) => ({ error: fault('throttled', { retryAfterMs }) });
  const { store } = scripted([asking(), asking(60_000), asking(60_000), asking(60_000)], new MemoryStore());
  const heard: RetryNotice[] = [];
  let sleeps = 0;
  const sleep = async (): Promise<void> => void (++sleeps === 3 && vi.advanceTimersByTime(90_000));
  const view = share(store, { sleep }).view((notice) => heard.push(notice));
  await view.store.put('k', Buffer.from('k'));
  expect(heard.map(({ long }) => long)).toEqual([undefined, true, undefined, true]);
});
