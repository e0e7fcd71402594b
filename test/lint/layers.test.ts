import { describe, expect, test } from 'vitest';
import { readSources, specifiersOf, violationsOf } from '../../lint/layers.js';
import { PACKAGES, ROOMS } from '../../lint/table.js';

/** One planted file that imports `specifier`. */
function planted(path: string, specifier: string): string[] {
  return violationsOf([{ path, specifiers: [specifier] }]);
}

describe('who imports whom', () => {
  test('is as the table says', () => {
    expect(violationsOf(readSources('src'))).toEqual([]);
  });

  test.each([
    ['model/key', '../native/libc.js', 'model may not import native'],
    ['engine/run', '../observe/metrics.js', 'engine/run may not import observe'],
    ['manifest/pair', '../observe/health.js', 'manifest may not import observe'],
    ['store/port', '../engine/run.js', 'store/port may not import engine/run'],
    ['store/signal', '../engine/pair.js', 'store/signal may not import engine/pair'],
    ['engine/list/list', '../../store/s3/store.js', 'engine/list may not import store/s3'],
    ['engine/plan/plan', '../../store/prices/config.js', 'engine/plan may not import store/prices'],
    ['store/s3/store', '../oss/store.js', 'store/s3 may not import store/oss'],
    ['engine/decide/decide', '../run.js', 'engine/decide may not import engine/run'],
    ['somewhere/new', '../model/key.js', 'a folder without a row may not import model'],
    ['model/key', '../somewhere/new.js', 'model may not import somewhere/new'],
  ])('refuses %s -> %s', (path, specifier, rule) => {
    expect(planted(path, specifier)).toEqual([expect.stringContaining(rule)]);
  });

  test.each([
    ['store/accelerate', 'better-sqlite3', 'only manifest/sqlite may import it'],
    ['engine/run', 'undici', 'only store/http may import it'],
    ['cli/main', 'chalk', 'only cli/render may import it'],
    ['model/key', 'left-pad', 'no folder owns this package'],
  ])('refuses the package of another: %s -> %s', (path, specifier, rule) => {
    expect(planted(path, specifier)).toEqual([expect.stringContaining(rule)]);
  });

  test('refuses a circle, type imports included', () => {
    const text = "import type { B } from './b.js';";
    const sources = [
      { path: 'model/a', specifiers: specifiersOf('a.ts', text) },
      { path: 'model/b', specifiers: ['./c.js'] },
      { path: 'model/c', specifiers: ['./a.js'] },
    ];
    expect(violationsOf(sources)).toEqual(['circle: model/a -> model/b -> model/c -> model/a']);
  });

  test.each([
    "import x from 'm';",
    "import type { X } from 'm';",
    "export * from 'm';",
    "export { x } from 'm';",
    "const x = await import('m');",
    "let x: import('m').X;",
    "import 'm';",
  ])('sees every way to import: %s', (text) => {
    expect(specifiersOf('a.ts', text)).toEqual(['m']);
  });

  test('has no row or owner that does not exist any more', () => {
    const paths = readSources('src').map(({ path }) => path);
    const exists = (room: string): boolean => paths.some((path) => path === room || path.startsWith(`${room}/`));
    const named = [...Object.values(ROOMS), ...Object.values(PACKAGES)].flatMap((row) => (row ? row.split(' ') : []));
    expect([...Object.keys(ROOMS), ...named].filter((row) => !exists(row))).toEqual([]);
  });

  test('has no permission that nobody uses', () => {
    const sources = readSources('src');
    const unused = Object.entries(ROOMS).flatMap(([room, allowed]) =>
      allowed
        .split(' ')
        .filter((row) => {
          const others = allowed.split(' ').filter((other) => other !== row);
          return row !== '' && violationsOf(sources, { ...ROOMS, [room]: others.join(' ') }).length === 0;
        })
        .map((row) => `${room} -> ${row}`),
    );
    expect(unused).toEqual([]);
  });
});
