import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rangeOf } from '../../src/cli/commands/cat.js';
import { buildProgram, main } from '../../src/cli/main.js';
import { VERSION } from '../../src/version.js';
import { fakeIo } from './fixtures.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'xsync-cli-'));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function xsync(args: string[], given: { stdin?: string; terminal?: { columns: number } } = {}): Promise<Outcome> {
  const io = fakeIo({ HOME: home }, given.terminal);
  const stdin = given.stdin === undefined ? io.stdin : Readable.from([given.stdin]);
  const code = await main(args, { ...io, stdin });
  return { code, out: io.stdout.text(), err: io.stderr.text() };
}

function files(folder: string, contents: Record<string, string>): string {
  const root = join(home, folder);
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

describe('help', () => {
  const program = buildProgram(fakeIo(), () => {});

  it.each(program.commands.map((command) => command.name()))('%s shows each of its options once', (name) => {
    const command = program.commands.find((each) => each.name() === name);
    const help = command?.helpInformation() ?? '';
    for (const { long, hidden } of command?.options ?? []) {
      if (hidden) continue;
      const shown = help.split('\n').filter((line) => line.startsWith('  ') && line.slice(0, 30).includes(`${long}`));
      expect(shown.filter((line) => new RegExp(`(^|\\s)${long}(\\s|$)`).test(line))).toHaveLength(1);
    }
    expect(help).not.toMatch(/^Options:/m);
  });

  it('lists what there is and nothing that there is not', async () => {
    const { code, out } = await xsync(['--help']);
    expect(code).toBe(0);
    for (const name of ['copy', 'copyto', 'ls', 'lsjson', 'size', 'cat', 'config', 'cleanup']) {
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(out).not.toMatch(/^ {2}(bisync|mount|rcd)\b/m);
  });

  it.each([[[]], ...program.commands.map((command) => [[command.name()]]), [['failed', 'drop']]])(
    'of %j fits 80 columns',
    async (command) => {
      const { out } = await xsync([...command, '--help'], { terminal: { columns: 80 } });
      expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it('--version gives the version alone', async () => {
    expect(await xsync(['--version'])).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
  });
});

describe('usage errors exit with 2 and say what is wrong', () => {
  it.each([
    [[], 'Usage:'],
    [['copi', 'a', 'b'], "unknown command 'copi'"],
    [['copy', 'a'], "missing required argument 'destination'"],
    [['copy', 'a', 'b', 'c'], 'too many arguments'],
    [['copy', '--nonsense', 'a', 'b'], "unknown option '--nonsense'"],
    [['copy', '--transfers', 'x', 'a', 'b'], '--transfers: "x" is not a whole number'],
    [['copy', '--size-only', '-c', 'a', 'b'], '--checksum and --size-only contradict each other'],
    [['ls', '-q', '-v', '.'], 'choose one of --quiet and --verbose'],
    [['ls', 'nowhere:bucket'], 'there is no remote "nowhere"'],
    [['cat', '--head', '1', '--tail', '1', '.'], 'exclude each other'],
    [['config'], 'Usage:'],
  ])('%j', async (args, message) => {
    const { code, err, out } = await xsync(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe('copy', () => {
  it('copies, tells the summary on standard error, and nothing on standard output', async () => {
    const source = files('a', { 'one.txt': 'one', 'sub/two.txt': 'two' });
    const { code, out, err } = await xsync(['copy', source, join(home, 'b')]);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/NOTICE Copied {7}2 objects, 6 B\n/);
    expect(readFileSync(join(home, 'b/sub/two.txt'), 'utf8')).toBe('two');
  });

  it('with --json writes events to standard output and nothing to standard error', async () => {
    const source = files('a', { 'one.txt': 'one' });
    const { code, out, err } = await xsync(['copy', '--json', source, join(home, 'b')]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events[0]).toMatchObject({ event: 'start', source });
    expect(events.at(-1)).toMatchObject({ event: 'end', copied: { objects: 1, bytes: 3 }, exitCode: 0 });
  });

  it('shows bars on a terminal, takes them away at the end, and has no colours with NO_COLOR', async () => {
    const source = files('a', { 'one\n\u001b[31m.txt': 'one' });
    const io = fakeIo({ HOME: home, NO_COLOR: '1' }, { columns: 80 });
    expect(await main(['copy', '-v', source, join(home, 'b')], io)).toBe(0);
    const text = io.stderr.text();
    expect(text).toContain('copied one\\n\\x1b[31m.txt');
    expect(text).toContain('Done: ');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what must not be there.
    expect(text).not.toMatch(/\u001b\[[0-9;]*m/);
    expect(text.lastIndexOf('\u001b[?7h')).toBeGreaterThan(text.lastIndexOf('\u001b[?7l'));
    expect(text.indexOf('Done: ')).toBeGreaterThan(text.lastIndexOf('░'));
  });

  it('names a single object by its name', async () => {
    const source = files('a', { 'one.txt': 'one' });
    const { code, err } = await xsync(['copyto', '-v', join(source, 'one.txt'), join(home, 'b', 'uno.txt')]);
    expect(code).toBe(0);
    expect(err).toContain('copied one.txt  3 B');
    expect(readFileSync(join(home, 'b/uno.txt'), 'utf8')).toBe('one');
  });

  it('a dry run says what it would do and does nothing', async () => {
    const source = files('a', { 'one.txt': 'one' });
    const { code, err } = await xsync(['copy', '-n', source, join(home, 'b')]);
    expect(code).toBe(0);
    expect(err).toContain('would copy one.txt  new, 3 B');
    expect(err).toContain('Would cost   source: 1 (read 1)');
    expect(() => readFileSync(join(home, 'b/one.txt'))).toThrow();
  });

  it('exits with 9 when nothing was transferred and that was to be an error', async () => {
    const source = files('a', { 'one.txt': 'one' });
    const args = ['copy', '--error-on-no-transfer', source, join(home, 'b')];
    expect([(await xsync(args)).code, (await xsync(args)).code]).toEqual([0, 9]);
  });

  it('exits with 3 when the source does not exist', async () => {
    const { code, err } = await xsync(['copy', join(home, 'none'), join(home, 'b')]);
    expect(code).toBe(3);
    expect(err).toContain('none');
    expect(err).not.toContain('Copied');
  });

  it('appends its log to --log-file', async () => {
    const source = files('a', { 'one.txt': 'one' });
    const log = join(home, 'log');
    const { err } = await xsync(['copy', '-v', '--log-file', log, source, join(home, 'b')]);
    expect(err).toBe('');
    expect(readFileSync(log, 'utf8')).toMatch(/^\S+Z INFO {3}copied one\.txt {2}3 B/m);
    expect((await xsync(['copy', '--log-file', join(home, 'no/log'), source, join(home, 'b')])).code).toBe(7);
  });
});

describe('looking', () => {
  const tree = { 'a.txt': 'aa', 'd/b.txt': 'bbb', 'd/e/c.txt': 'cccc', 'odd\n\u001b[2J': 'x' };

  it('ls lists size and key; a pipe gets keys verbatim, a terminal gets them escaped', async () => {
    const root = files('t', tree);
    const piped = await xsync(['ls', root]);
    expect(piped).toMatchObject({ code: 0, err: '' });
    expect(piped.out).toBe('        2 a.txt\n        3 d/b.txt\n        4 d/e/c.txt\n        1 odd\n\u001b[2J\n');
    expect((await xsync(['ls', root], { terminal: { columns: 80 } })).out).toContain('1 odd\\n\\x1b[2J\n');
    expect((await xsync(['ls', '-1', '--exclude', 'odd*', root])).out).toBe('        2 a.txt\n        - d/\n');
    expect((await xsync(['ls', '-l', '--include', 'a.txt', root])).out).toMatch(
      /^ {8}2 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} a\.txt\n$/,
    );
  });

  it('lsjson has the names of rclone', async () => {
    const root = files('t', tree);
    const level = JSON.parse((await xsync(['lsjson', root])).out) as Record<string, unknown>[];
    expect(level.map(({ Path, Size, IsDir }) => [Path, Size, IsDir])).toEqual([
      ['a.txt', 2, false],
      ['d', -1, true],
      ['odd\n\u001b[2J', 1, false],
    ]);
    const all = JSON.parse((await xsync(['lsjson', '-R', '--exclude', 'odd*', root])).out) as Record<string, unknown>[];
    expect(all.map(({ Path, Name }) => [Path, Name])).toEqual([
      ['a.txt', 'a.txt'],
      ['d', 'd'],
      ['d/b.txt', 'b.txt'],
      ['d/e', 'e'],
      ['d/e/c.txt', 'c.txt'],
    ]);
    expect(JSON.parse((await xsync(['lsjson', '--include', 'nothing', root, '--files-only'])).out)).toEqual([]);
  });

  it('size counts objects and bytes', async () => {
    const root = files('t', tree);
    expect((await xsync(['size', root])).out).toBe('Total objects: 4\nTotal size: 10 B (10 bytes)\n');
    expect(JSON.parse((await xsync(['size', '--json', '--exclude', 'odd*', root])).out)).toEqual({
      count: 3,
      bytes: 9,
    });
  });

  it('cat writes the bytes that are asked for, also those of an object of several reads', async () => {
    const long = '0123456789abcdef'.repeat(1024 ** 2 + 1);
    const root = files('t', { long, short: 'hello', empty: '' });
    expect((await xsync(['cat', join(root, 'short'), join(root, 'empty'), join(root, 'short')])).out).toBe(
      'hellohello',
    );
    const { out } = await xsync(['cat', join(root, 'long')]);
    expect(out === long).toBe(true);
    expect((await xsync(['cat', '--tail', '3', join(root, 'long')])).out).toBe('def');
    expect((await xsync(['cat', '--offset', '1', '--count', '3', join(root, 'short')])).out).toBe('ell');
    expect((await xsync(['cat', join(root, 'none')])).code).toBe(4);
    expect((await xsync(['cat', root])).code).toBe(2);
  });

  it('a range never leaves the object', () => {
    expect(rangeOf({}, 10)).toEqual({ start: 0, end: 10 });
    expect(rangeOf({ head: 20 }, 10)).toEqual({ start: 0, end: 10 });
    expect(rangeOf({ tail: 20 }, 10)).toEqual({ start: 0, end: 10 });
    expect(rangeOf({ offset: -4, count: 2 }, 10)).toEqual({ start: 6, end: 8 });
    expect(rangeOf({ offset: 12 }, 10)).toEqual({ start: 10, end: 10 });
    expect(rangeOf({ count: 0 }, 10)).toEqual({ start: 0, end: 0 });
  });
});

describe('config', () => {
  const settings = ['type=s3', 'endpoint=http://127.0.0.1:9', 'region=us-east-1', 'access_key_id=AKIDEXAMPLE0001'];

  it('adds, lists, shows without secrets and removes a remote, its secret read from standard input', async () => {
    const added = await xsync(['config', 'add', 'lab', ...settings, 'secret_access_key=-'], {
      stdin: 's3cr3t-value\n',
    });
    expect(added).toMatchObject({ code: 0, out: '' });
    const file = join(home, '.config/xsync/config.yaml');
    expect(readFileSync(file, 'utf8')).toContain('s3cr3t-value');
    expect((await xsync(['config', 'path'])).out).toBe(`${file}\n`);
    expect((await xsync(['config', 'list'])).out).toBe('lab  s3\n');
    const shown = await xsync(['config', 'show']);
    expect(shown.out).toContain('endpoint: http://127.0.0.1:9');
    expect(shown.out + added.err).not.toContain('s3cr3t');
    expect((await xsync(['config', 'show', 'nope'])).err).toContain('no remote "nope"');
    expect((await xsync(['config', 'remove', 'lab'])).code).toBe(0);
    expect((await xsync(['config', 'list'])).out).toBe('');
  });

  it('takes nothing that is no setting, and does not repeat what may be a secret in full', async () => {
    expect(await xsync(['config', 'add', 'lab', 'type'])).toMatchObject({ code: 2 });
    const bare = await xsync(['config', 'add', 'lab', 'type=s3', 's3cr3t/abcDEF']);
    expect(bare).toMatchObject({ code: 2, err: expect.stringContaining('argument 3 is no setting') });
    expect(bare.err).not.toContain('s3cr3t');
    const flag = await xsync(['copy', 'a', 'b', "--s3-secret-access-key=s3c'r3t"]);
    expect(flag).toMatchObject({ code: 2, err: expect.stringContaining("unknown option '--s3-secret-access-key'") });
    expect(flag.err).not.toContain('r3t');
    expect(await xsync(['config', 'add', 'lab', ...settings, 'secret_access_key=-'], { stdin: '' })).toMatchObject({
      code: 2,
    });
  });

  it("imports rclone's remotes and says which it left out", async () => {
    const source = join(home, 'rclone.conf');
    writeFileSync(
      source,
      '[lab]\ntype = s3\nprovider = Minio\nendpoint = http://127.0.0.1:9\naccess_key_id = a\nsecret_access_key = b\n\n[box]\ntype = dropbox\n',
    );
    const { code, err } = await xsync(['config', 'import', source]);
    expect(code).toBe(0);
    expect(err).toMatch(/Imported "lab"/);
    expect(err).toMatch(/Left out "box"/);
    expect((await xsync(['config', 'list'])).out).toBe('lab  s3\n');
  });
});
