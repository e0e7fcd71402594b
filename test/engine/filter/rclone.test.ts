/**
 * What rclone v1.60.1 lists (`rclone lsf -R --files-only FLAGS` on a directory with these objects) is kept in
 * rclone.json; a name after `@` is one of its files.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createFilter,
  type FilterOptions,
  parseFilterFile,
  parseRawKeyFile,
} from '../../../src/engine/filter/filter.js';

interface Recorded {
  objects: { key: string; size: number }[];
  files: Record<string, string>;
  cases: { flags: string[]; kept: string[] }[];
}

const recorded: Recorded = JSON.parse(readFileSync(new URL('rclone.json', import.meta.url), 'utf8'));

function fileOf(reference: string) {
  return recorded.files[reference.slice(1)] ?? '';
}

function optionsOf(flags: readonly string[]): FilterOptions {
  const include: string[] = [];
  const exclude: string[] = [];
  const filter: string[] = [];
  const options: FilterOptions = { include, exclude, filter };
  for (let i = 0; i < flags.length; i += 2) {
    const [flag, value = ''] = [flags[i], flags[i + 1]];
    if (flag === '--include') include.push(value);
    else if (flag === '--exclude') exclude.push(value);
    else if (flag === '--filter') filter.push(value);
    else if (flag === '--include-from') options.includeFrom = [parseFilterFile(fileOf(value), value)];
    else if (flag === '--exclude-from') options.excludeFrom = [parseFilterFile(fileOf(value), value)];
    else if (flag === '--filter-from') options.filterFrom = [parseFilterFile(fileOf(value), value)];
    else if (flag === '--files-from') options.filesFrom = [parseFilterFile(fileOf(value), value)];
    else if (flag === '--files-from-raw') options.filesFromRaw = [parseRawKeyFile(fileOf(value), value)];
    else if (flag === '--min-size') options.minSize = Number.parseInt(value, 10);
    else if (flag === '--max-size') options.maxSize = Number.parseInt(value, 10);
    else if (flag === '--ignore-case') options.ignoreCase = true;
    else throw new Error(`unknown flag ${flag}`);
  }
  return options;
}

describe('a command line brought over from rclone picks the same objects', () => {
  it.each(recorded.cases.map(({ flags, kept }) => ({ name: flags.join(' ') || '(no filter)', flags, kept })))(
    '$name',
    ({ flags, kept }) => {
      const filter = createFilter(optionsOf(flags));
      const passing = recorded.objects.filter(({ key, size }) => filter.test(key, size, 0).included);
      expect(passing.map(({ key }) => key).sort()).toEqual([...kept].sort());
    },
  );

  it('and a directory that is skipped holds none of them', () => {
    for (const { flags, kept } of recorded.cases) {
      const filter = createFilter(optionsOf(flags));
      for (const key of kept) {
        for (let end = key.indexOf('/') + 1; end > 0; end = key.indexOf('/', end) + 1) {
          expect(filter.mayContain(key.slice(0, end)), `${flags.join(' ')}: ${key.slice(0, end)}`).toBe(true);
        }
      }
    }
  });
});
