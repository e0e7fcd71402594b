import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Questions } from '../../src/cli/questions.js';
import { capture } from './fixtures.js';

function asked(input: string) {
  const stdin = new PassThrough();
  stdin.end(input);
  const stderr = capture();
  let quits = 0;
  const questions = new Questions({ stdin, stderr }, () => quits++);
  const ask = (action: 'copy' | 'overwrite' | 'delete', key: string) => questions.confirm(action, key, 1);
  return { ask, stderr, quits: () => quits };
}

test('yes, Return and no are for one object', async () => {
  const { ask, stderr } = asked('y\n\nn\nmaybe\nY\n');
  expect(await Promise.all(['a', 'b', 'c', 'd\n'].map((key) => ask('copy', key)))).toEqual([true, true, false, true]);
  expect(stderr.text().split('y/n/s/!/q> ')).toHaveLength(6);
  expect(stderr.text()).toContain('copy d\\n?\ny) yes (default)\n');
});

test('! and s are for all of one kind', async () => {
  const { ask, quits } = asked('!\ns\nn\n');
  expect(await ask('copy', 'a')).toBe(true);
  expect(await ask('delete', 'x')).toBe(false);
  expect(await ask('overwrite', 'o')).toBe(false);
  expect(await ask('copy', 'b')).toBe(true);
  expect(await ask('delete', 'y')).toBe(false);
  expect(quits()).toBe(0);
});

test.each(['q\n', ''])('%j quits, and nothing is asked or done any more', async (input) => {
  const { ask, stderr, quits } = asked(input);
  expect(await Promise.all([ask('copy', 'a'), ask('copy', 'b'), ask('delete', 'c')])).toEqual([false, false, false]);
  expect(quits()).toBe(1);
  expect(stderr.text().split('y/n/s/!/q> ')).toHaveLength(2);
});
