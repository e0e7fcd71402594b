import { expect, test } from 'vitest';
import { Heap } from '../../src/cli/heap.js';

test('the heap may grow until a listing turns out to be long', () => {
  const did: (number | string)[] = [];
  const heap = new Heap(
    (percent) => void did.push(percent),
    () => void did.push('collect'),
  );
  const listed = (objects: number) => ({ type: 'listed', side: 'source', objects, done: false }) as const;
  heap.hear(listed(30_000));
  expect(did).toEqual([200]);
  heap.hear(listed(31_000));
  heap.hear(listed(32_000));
  expect(did).toEqual([200, 50, 'collect']);
});

test('V8 knows what it is asked for', () => {
  new Heap().narrow();
});
