import { expect, test } from 'vitest';
import { parseMaxCost } from '../../src/model/prices.js';

test.each([
  ['5USD', { amount: 5, currency: 'USD' }],
  ['0.5 cny', { amount: 0.5, currency: 'cny' }],
  ['20', { amount: 20 }],
])('parseMaxCost(%j)', (text, amount) => {
  expect(parseMaxCost(text)).toEqual(amount);
});

test.each(['', 'USD', '-1USD', '5USD6', '5,5EUR', '$5', '1e3USD'])('parseMaxCost(%j) is refused', (text) => {
  expect(() => parseMaxCost(text)).toThrow(expect.objectContaining({ code: 'usage', subject: '--max-cost' }));
});
