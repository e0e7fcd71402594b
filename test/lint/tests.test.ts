/**
 * Tests are where one looks for them: the test of `src/a/b.ts` is `test/a/b.test.ts`, or the end of that file's first
 * comment names it (`Tests: test/…`, several with commas). Files of types and re-exports need none.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { specifiersOf } from '../../lint/layers.js';

/** The tests that the first comment of a file names. */
function namedIn(text: string): string[] {
  const comment = /^(?:\/\*\*[\s\S]*?\*\/|(?:\/\/.*\n)+)/.exec(text)?.[0] ?? '';
  const line = /(?:^[\s/*]*|[.:;] )Tests: ([^*\n]*?)\.?\s*(?:\*\/)?\s*$/m.exec(comment)?.[1] ?? '';
  return line === '' ? [] : line.split(/,\s*/);
}

/** Whether a file has no code of its own, only types and re-exports. */
function hasNoCode(text: string): boolean {
  const { program } = parseSync('x.ts', text);
  return program.body.every((node) => {
    if (node.type === 'ImportDeclaration') return node.importKind === 'type';
    if (node.type === 'ExportAllDeclaration') return true;
    if (node.type === 'ExportNamedDeclaration') return node.exportKind === 'type' || node.source !== null;
    return node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration';
  });
}

const parsed = new Map<string, string[]>();

/** The files that a file imports. */
function importsOf(from: string): string[] {
  const known = parsed.get(from);
  if (known) return known;
  const files = specifiersOf(from, readFileSync(from, 'utf8'))
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts'))
    .filter((file) => existsSync(file));
  parsed.set(from, files);
  return files;
}

/** The file, every file that it imports, and what these import in turn. */
function reachedFrom(from: string, seen = new Set<string>()): Set<string> {
  seen.add(from);
  for (const file of importsOf(from)) if (!seen.has(file)) reachedFrom(file, seen);
  return seen;
}

/** What is wrong with the place of a file's tests. @param reaches whether a test imports the file, directly or not */
function complaints(
  path: string,
  text: string,
  exists: (test: string) => boolean,
  reaches: (test: string, file: string) => boolean,
): string[] {
  const named = namedIn(text);
  const mirrored = path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
  if (named.length === 0) {
    if (exists(mirrored) || hasNoCode(text)) return [];
    return [`${path}: there is no ${mirrored}, and the first comment names no tests`];
  }
  return named.flatMap((test) => {
    if (!exists(test)) return [`${path}: there is no ${test}`];
    return reaches(test, path) ? [] : [`${path}: ${test} does not import it`];
  });
}

test('every file has its test, or names it', () => {
  const reached = new Map<string, Set<string>>();
  const reaches = (test: string, file: string): boolean => {
    // These run the built program.
    if (test.startsWith('test/e2e/')) return true;
    const files = reached.get(test) ?? reachedFrom(test);
    reached.set(test, files);
    return files.has(file);
  };
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(
    files.flatMap((file) => complaints(`src/${file}`, readFileSync(`src/${file}`, 'utf8'), existsSync, reaches)),
  ).toEqual([]);
});

const CODE = 'export const a = 1;\n';

test.each([
  ['its test lies where it should', `${CODE}`, 'test/a/b.test.ts', []],
  ['no test', CODE, 'test/a/c.test.ts', ['names no tests']],
  ['types alone', "import type { A } from './a.js';\nexport type B = A;\nexport interface C {}\n", '', []],
  ['re-exports', "export { a } from './a.js';\nexport * from './c.js';\n", '', []],
  ['a type and a constant', `export type B = string;\n${CODE}`, '', ['names no tests']],
  ['an import for its effect', "import './a.js';\n", '', ['names no tests']],
  ['a named test', `/** What.\n * Tests: test/a/c.test.ts\n */\n${CODE}`, 'test/a/c.test.ts', []],
  ['a named test, in one line', `/** Tests: test/a/c.test.ts */\n${CODE}`, 'test/a/c.test.ts', []],
  ['a named test after a sentence', `/** What. Tests: test/a/c.test.ts */\n${CODE}`, 'test/a/c.test.ts', []],
  [
    'two, one of which is gone',
    `/** Tests: test/a/c.test.ts, test/d.test.ts */\n${CODE}`,
    'test/a/c.test.ts',
    ['no test/d'],
  ],
  ['a name in another comment', `${CODE}/** Tests: test/a/c.test.ts */\n`, 'test/a/c.test.ts', ['names no tests']],
  ['a test of something else', `/** Tests: test/else.test.ts */\n${CODE}`, 'test/else.test.ts', ['does not import it']],
])('%s', (_, text, there, expected) => {
  const found = complaints(
    'src/a/b.ts',
    text,
    (path) => path === there,
    (path) => !path.includes('else'),
  );
  expect(found).toEqual(expected.map((part) => expect.stringContaining(part)));
});
