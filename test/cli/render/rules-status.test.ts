import { expect, test } from 'vitest';
import { colours } from '../../../src/cli/render/colour.js';
import { rulesTable } from '../../../src/cli/render/rules-status.js';
import { STATUS } from '../../observe/events.js';

test('cost is a column as soon as a remote of one rule has prices', () => {
  const plain = colours({}, {});
  const spent = { sinceMs: 1, cost: [{ currency: 'USD', amount: 2.5 }] };
  const rules = [
    { rule: 'paid', behindMs: 0, status: { ...STATUS, spent } },
    { rule: 'free', behindMs: 0, status: STATUS },
    { rule: 'new', behindMs: 0 },
  ];
  const lines = rulesTable(rules, plain).split('\n');
  expect(lines[0]).toMatch(/ COST$/);
  expect(lines.slice(1).map((line) => /USD 2\.50$/.test(line))).toEqual([true, false, false, false]);
  expect(rulesTable(rules.slice(1), plain)).not.toContain('COST');
});
