import { expect, test } from 'vitest';
import { orderOf } from '../../src/open/order.js';

test('no order, or an empty one, is none', async () => {
  expect(await orderOf(undefined)).toBeUndefined();
  expect(await orderOf('')).toBeUndefined();
});

test('what is longer comes before what it starts with, if the last name comes first', async () => {
  const order = (await orderOf('name,desc')) ?? (() => '');
  const keys = ['a', 'ab', 'é', 'b', ''];
  const sorted = keys.sort((x, y) =>
    order({ key: x, size: 0, mtimeMs: 0 }) < order({ key: y, size: 0, mtimeMs: 0 }) ? -1 : 1,
  );
  expect(sorted).toEqual(['é', 'b', 'ab', 'a', '']);
});

test.each([
  ['sise', '--order-by: "sise" is not size, name or modtime, '],
  ['size,down', '--order-by: "size,down" is not size, name or modtime, '],
  ['size,asc,x', '--order-by: "size,asc,x" is not size, '],
  ['size,mixed,25', '--order-by: "size,mixed,25" is not needed'],
  ['pattern', '--order-by: "pattern" has an empty pattern'],
  ['pattern,a,', '--order-by: "pattern,a," has an empty pattern'],
  ['pattern,{a', '--order-by: "pattern,{a" has a pattern that means nothing: a "{" is not closed'],
])('%s is refused', async (text, message) => {
  await expect(orderOf(text)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(message) });
});
