import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { hookAbort, unhookAbort } from '../../../src/store/http/abort-hooks.js';

test('a signal ends what is hooked, once, with one listener', () => {
  const run = new AbortController();
  const ended: string[] = [];
  const hooks = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, () => ended.push(name)]));
  for (const end of Object.values(hooks)) hookAbort(run.signal, end);
  expect(getEventListeners(run.signal, 'abort')).toHaveLength(1);
  if (hooks.b) unhookAbort(run.signal, hooks.b);
  run.abort();
  expect(ended).toEqual(['a', 'c']);
  expect(getEventListeners(run.signal, 'abort')).toHaveLength(0);
});

test('what ends may unhook the others', () => {
  const run = new AbortController();
  const ended: string[] = [];
  const second = () => ended.push('second');
  hookAbort(run.signal, () => {
    ended.push('first');
    unhookAbort(run.signal, second);
  });
  hookAbort(run.signal, second);
  run.abort();
  expect(ended).toEqual(['first']);
});
