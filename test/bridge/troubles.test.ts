import { expect, it } from 'vitest';
import { Troubles, together, waitsForPerson } from '../../src/bridge/troubles.js';

const fault = (code: string) => ({ code, class: 'person' as const, message: code });

function troubles() {
  const told: (string | undefined)[] = [];
  return { told, troubles: new Troubles((message) => told.push(message)) };
}

it('tells once of many tickets that wait, and once that none does any more', () => {
  const { told, troubles: its } = troubles();
  its.block('a', fault('denied'));
  its.block('b', fault('denied'));
  its.unblock('a');
  its.unblock('a');
  expect(told).toEqual(['denied; its ticket waits, and is tried again']);
  its.block('c', fault('full'));
  its.succeed();
  for (const key of ['b', 'c']) its.unblock(key);
  expect(told.slice(1)).toEqual(['full; its ticket waits, and is tried again', undefined]);
  its.succeed();
  expect(told).toHaveLength(3);
});

it('is well only when neither all tickets wait nor one', () => {
  const { told, troubles: its } = troubles();
  its.block('a', fault('denied'));
  expect([its.fail('away', fault('away')), its.fail('away', fault('away'))]).toEqual([0, 1]);
  its.unblock('a');
  expect(told.at(-1)).toBe('away');
  its.succeed();
  expect(told.at(-1)).toBeUndefined();
  expect(its.fail('away', fault('away'))).toBe(0);
});

it.each([
  ['access-denied', 'person', true],
  ['bad-credentials', 'person', true],
  ['attribute-refused', 'person', true],
  ['limit', 'person', true],
  ['limit', 'permanent', false],
  ['refused-url', 'permanent', true],
  ['untrusted-host', 'person', false],
  ['object-archived', 'person', false],
  ['guard', 'person', false],
  ['timeout', 'temporary', false],
] as const)('%s (%s) waits for a person: %s', (code, kind, waits) => {
  expect(waitsForPerson({ code, class: kind })).toBe(waits);
});

it('an end is well when all of its parts are', () => {
  const told: (string | undefined)[] = [];
  const part = together((message) => told.push(message));
  const [a, b] = [part(), part()];
  a('a', fault('x'));
  b('b', fault('x'));
  a(undefined);
  a(undefined);
  expect(told).toEqual(['a', 'b']);
  b(undefined);
  b(undefined);
  expect(told).toEqual(['a', 'b', undefined]);
});
