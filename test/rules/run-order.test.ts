import { expect, test } from 'vitest';
import type { Arc, Finding } from '../../src/rules/graph.js';
import { precedenceOf, runInOrder } from '../../src/rules/run-order.js';

const arc = (rule: string): Arc => {
  const space = { home: 'h', path: '' };
  return { rule, pair: rule, from: space, to: space, prefixes: [''], text: { from: '', to: '' } };
};

/** `ab bc`: b reads what a writes, and c what b writes. */
function precedence(names: string, chains: string) {
  const findings = chains.split(' ').map(([writer = '', reader = '']): Finding => {
    return { type: 'chain', arcs: [arc(writer), arc(reader)] };
  });
  return precedenceOf([...names], [...findings, { type: 'overlap', arcs: [arc('a'), arc('c')] }]);
}

/** Tasks that end when they are told to. */
function tasksOf(rules: string) {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const tasks = [...rules].map((rule, index) => ({
    rule,
    async run() {
      const name = `${rule}${index}`;
      log.push(`+${name}`);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      log.push(`-${name}`);
      return name;
    },
  }));
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { log, tasks, end };
}

test('a rule waits for those that it reads from, whatever the priority, and for no other', () => {
  expect(precedence('cba', 'bc ab')).toEqual(
    new Map([
      ['c', new Set(['b'])],
      ['b', new Set(['a'])],
      ['a', new Set()],
    ]),
  );
  expect(precedence('ac', 'bc ab')).toEqual(
    new Map([
      ['a', new Set()],
      ['c', new Set()],
    ]),
  );
});

test('rules that read from each other do not wait for ever', () => {
  const waits = precedence('abc', 'ab bc ca aa');
  expect([waits.get('a'), waits.get('b'), waits.get('c')]).toEqual([new Set(), new Set(['a']), new Set(['b'])]);
});

test('a rule begins when all pairs of the rules before it have ended, and takes no place while it waits', async () => {
  const { log, tasks, end } = tasksOf('caabd');
  const results = runInOrder(tasks, precedence('cabd', 'ab bc'), 2);
  expect(log).toEqual(['+a1', '+a2']);
  await end('a1');
  expect(log.splice(0)).toEqual(['+a1', '+a2', '-a1', '+d4']);
  await end('d4');
  expect(log.splice(0)).toEqual(['-d4']);
  await end('a2');
  expect(log.splice(0)).toEqual(['-a2', '+b3']);
  await end('b3');
  expect(log.splice(0)).toEqual(['-b3', '+c0']);
  await end('c0');
  expect(await results).toEqual(['c0', 'a1', 'a2', 'b3', 'd4']);
});

test('those that read the same source begin together, and count as one', async () => {
  const { log, tasks, end } = tasksOf('abcde');
  const grouped = tasks.map((task, index) => ({ ...task, group: index % 2 === 0 ? 'even' : undefined }));
  const results = runInOrder(grouped, precedence('abcde', 'be'), 2);
  expect(log.splice(0)).toEqual(['+a0', '+c2', '+b1']);
  await end('b1');
  expect(log.splice(0)).toEqual(['-b1', '+d3']);
  for (const name of ['a0', 'c2']) await end(name);
  expect(log.splice(0)).toEqual(['-a0', '-c2', '+e4']);
  for (const name of ['d3', 'e4']) await end(name);
  expect(await results).toEqual(['a0', 'b1', 'c2', 'd3', 'e4']);
});

test('there may be nothing to run', async () => {
  expect(await runInOrder([], new Map(), 1)).toEqual([]);
});
