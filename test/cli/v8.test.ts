import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { V8 } from '../../src/cli/v8.js';
import type { RunEvent } from '../../src/engine/events.js';

const { flagsOf } = createRequire(import.meta.url)('../../bin/load.js') as { flagsOf(version: string): string[] };

function noting(): { did: string[]; v8: V8 } {
  const did: string[] = [];
  const v8 = new V8(
    (flag) => void did.push(flag),
    () => void did.push('collect'),
  );
  return { did, v8 };
}

test('the heap may grow until a listing turns out to be long', () => {
  const { did, v8 } = noting();
  const listed = (objects: number) => ({ type: 'listed', side: 'source', objects, done: false }) as const;
  v8.hear(listed(30_000));
  expect(did).toEqual(['--heap-growing-percent=200']);
  v8.hear(listed(31_000));
  v8.hear(listed(32_000));
  expect(did.slice(1)).toEqual(['--heap-growing-percent=50', 'collect']);
});

test('functions are optimized early once many objects have been copied', () => {
  const { did, v8 } = noting();
  for (let n = 0; n < 5999; n++) v8.hear({ type: 'copied' } as RunEvent);
  expect(did).toHaveLength(1);
  for (let n = 0; n < 6000; n++) v8.hear({ type: 'copied' } as RunEvent);
  expect(did.slice(1)).toEqual(['--interrupt-budget=33792']);
});

test.each([
  ['11.3.244.8-node.30', 3],
  ['12.4.254.21-node.33', 2],
  ['14.1.146.11-node.14', 2],
  ['15.0.1', 0],
])('V8 %s is asked for nothing that it may not know', (version, flags) => {
  const did: string[] = [];
  const v8 = new V8(
    (flag) => void did.push(flag),
    () => undefined,
    version,
  );
  for (let n = 0; n < 6000; n++) v8.hear({ type: 'copied' } as RunEvent);
  v8.hear({ type: 'listed', side: 'source', objects: 31_000, done: false });
  expect(did).toHaveLength(flags);
  expect(flagsOf(version)).toHaveLength(flags === 0 ? 0 : flags + 2);
});

test('V8 knows what it is asked for', () => {
  const v8 = new V8();
  v8.hear({ type: 'listed', side: 'source', objects: 40_000, done: false });
});
