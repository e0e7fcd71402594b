import { expect, test } from 'vitest';
import { type LinkMode, linkMode, linksOf } from '../../src/open/links.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import type { Capabilities } from '../../src/store/port.js';

const having = (links: Capabilities['links']) => ({ capabilities: { ...new MemoryStore().capabilities, links } });

/** The table in src/open/links.ts. */
test.each<[LinkMode, Capabilities['links'], Capabilities['links'], ReturnType<typeof linksOf>]>([
  ['auto', 'objects', 'objects', { links: 'keep' }],
  ['auto', 'objects', 'files', { follows: 'lenient' }],
  ['auto', 'objects', undefined, { follows: 'lenient' }],
  ['auto', 'files', 'objects', {}],
  ['auto', 'files', 'files', {}],
  ['auto', undefined, 'objects', {}],
  ['keep', 'objects', 'files', { links: 'keep' }],
  ['keep', 'files', 'objects', { links: 'keep' }],
  ['keep', 'files', 'files', { links: 'keep' }],
  ['keep', 'objects', undefined, {}],
  ['keep', 'files', undefined, {}],
  ['keep', undefined, 'objects', {}],
  ['follow', 'objects', 'objects', { follows: 'failing' }],
  ['follow', 'files', 'objects', {}],
  ['skip', 'objects', 'objects', { links: 'skip' }],
  ['skip', 'files', undefined, { links: 'skip' }],
])('--links %s from %s to %s', (mode, source, dest, expected) => {
  expect(linksOf(mode, { source: having(source), dest: having(dest) })).toEqual(expected);
});

test('--copy-links means --links follow', () => {
  expect([linkMode(undefined, undefined), linkMode('auto', true), linkMode('follow', true)]).toEqual([
    'auto',
    'follow',
    'follow',
  ]);
  expect(() => linkMode('skip', true)).toThrow('contradicts --links skip');
});
