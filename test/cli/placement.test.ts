import { describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/main.js';
import { everyCommand, optionsBehindCommand } from '../../src/cli/placement.js';
import { fakeIo } from './fixtures.js';

const root = buildProgram(fakeIo(), () => {});
const place = (line: string) => optionsBehindCommand(root, line.split(' '))?.join(' ');

describe('options before the command', () => {
  it.each([
    ['copy a b --config x', 'copy a b --config x'],
    ['--config x copy a b', 'copy --config x a b'],
    ['--config=x copy a b', 'copy --config=x a b'],
    ['-v --json copy a b -n', 'copy -v --json a b -n'],
    ['-vv -nf -*.tmp sync a b', 'sync -vv -nf -*.tmp a b'],
    ['-f*.tmp sync a b', 'sync -f*.tmp a b'],
    ['--filter - *.tmp sync a b', '*.tmp sync a b'],
    ['-q config --config x show lab', 'config show -q --config x lab'],
    ['--help copy', 'copy --help'],
    ['--config x --version', '--version'],
    ['--config x --help', '-h'],
    ['-v help copy', 'help copy'],
    ['--config copy copi a', 'copi a'],
    ['--nonsense copy a b', 'copy --nonsense a b'],
  ])('%s → %s', (line, expected) => {
    expect(place(line)).toBe(expected);
  });

  it('a filter that begins with a dash is a value', () => {
    expect(optionsBehindCommand(root, ['--filter', '- *.tmp', 'sync', 'a'])).toEqual([
      'sync',
      '--filter',
      '- *.tmp',
      'a',
    ]);
  });

  it('no variable sets an option of two meanings', () => {
    vi.stubEnv('XSYNC_SIZE', '500G');
    vi.stubEnv('XSYNC_HASH', 'true');
    const tree = everyCommand(buildProgram(fakeIo(), () => {})).filter(({ options }) =>
      options.some(({ long, envVar }) => (long === '--size' || long === '--hash') && envVar !== undefined),
    );
    expect(tree.map((command) => command.name())).toEqual(['lsjson']);
    vi.unstubAllEnvs();
  });

  it('no command at all', () => {
    expect(optionsBehindCommand(root, [])).toBeUndefined();
    expect(place('--config x')).toBeUndefined();
  });

  it('an option that has a value in one command and none in another', () => {
    expect(place('--hash sha1 lsf x')).toBe('lsf --hash sha1 x');
    expect(place('--hash lsjson x')).toBe('lsjson --hash x');
    expect(place('--size tree x')).toBe('tree --size x');
    expect(place('--size 1G rcat x')).toBe('rcat --size 1G x');
    const ambiguous = ['--hash', '--size'];
    const kinds = new Map<string, boolean>();
    for (const { long, short, required } of everyCommand(root).flatMap(({ options }) => options)) {
      for (const name of [long, short]) {
        if (!name || ambiguous.includes(name)) continue;
        expect([name, kinds.get(name) ?? required]).toEqual([name, required]);
        kinds.set(name, required);
      }
    }
  });
});
