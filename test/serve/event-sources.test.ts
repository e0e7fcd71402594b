import { expect, it } from 'vitest';
import type { Changes } from '../../src/engine/watch/watch.js';
import { EventSources } from '../../src/serve/event-sources.js';

/** What was opened and closed, in order. */
function sources({ broken = 0 } = {}) {
  const log: string[] = [];
  const means = {
    open: async (text: string) => {
      log.push(`open ${text}`);
      if (broken-- > 0) throw new Error('no');
      return {
        async *changes(signal: AbortSignal): AsyncGenerator<Changes> {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        close: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          log.push(`closed ${text}`);
        },
      };
    },
    failed: (text: string) => void log.push(`failed ${text}`),
  };
  return { events: new EventSources(means), log };
}

it('opens a source once, and closes it when the last listener leaves', async () => {
  const { events, log } = sources();
  const [one, two] = await Promise.all([events.take('a'), events.take('a'), events.take('b')]);
  expect(log).toEqual(['open a', 'open b']);
  await one.leave();
  expect(log).toEqual(['open a', 'open b']);
  await two.leave();
  expect(log).toEqual(['open a', 'open b', 'closed a']);
  await events.close();
  expect(log).toEqual(['open a', 'open b', 'closed a', 'closed b']);
});

it('opens it again only after it was closed', async () => {
  const { events, log } = sources();
  const one = await events.take('a');
  const leaving = one.leave();
  await Promise.all([events.take('a'), leaving]);
  expect(log).toEqual(['open a', 'closed a', 'open a']);
  await events.close();
});

it('opens it anew after it could not be opened', async () => {
  const { events, log } = sources({ broken: 1 });
  await expect(events.take('a')).rejects.toThrow('no');
  await events.take('a');
  expect(log).toEqual(['open a', 'open a']);
  await events.close();
});
