/** Slips in the command line and in the config: each is told once, names its place, and has its exit code. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { expectComplaint } from './complaint.js';
import { Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe('limits of the shell', () => {
  test.each([
    ['-n 24', 'xsync: too many open files — Raise the limit (ulimit -n)'],
    ['-n 48', 'xsync: too many open files — Raise the limit (ulimit -n)'],
    ['-v 900000', 'xsync: there is not enough memory — Remove the limit of virtual memory (ulimit -v'],
    ['-v 4000000', 'xsync: there is not enough memory — Remove the limit of virtual memory (ulimit -v'],
  ])('ulimit %s is a slip', async (limit, says) => {
    const from = lab.path('from');
    await mkdir(from);
    // Bodies of this size are hashed in WebAssembly, which reserves far more memory than it uses.
    for (const name of ['a', 'b', 'c']) await writeFile(join(from, name), Buffer.alloc(400_000, name));
    const binary = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));
    const command = `ulimit ${limit}; exec "$0" "$@"`;
    const args = ['-c', command, process.execPath, binary, 'copy', from, lab.path('to')];
    const { status, stderr } = spawnSync('bash', args, { env: { PATH: process.env.PATH, HOME: lab.directory } });
    expect(stderr.toString()).toContain(says);
    expect(stderr.toString()).not.toMatch(/a bug in xsync|\n\s+at /);
    expect(status).toBe(2);
  });
});

describe('the command line', () => {
  const slips: [args: string[], ...says: string[]][] = [
    [['cpoy', 'a', 'b'], "unknown command 'cpoy'", 'Did you mean copy?', '--help'],
    [['copy', 'a', 'b', '--transfer', '3'], "unknown option '--transfer'", 'Did you mean --transfers?'],
    [['copy', 'a'], "missing required argument 'destination'", '--help'],
    [['copy', 'a', 'b', 'c'], 'too many arguments'],
    [['copy', 'a', 'b', '--transfers'], '--transfers', 'argument missing'],
    [['copy', 'a', 'b', '--transfers', '0'], '--transfers: "0" is not a whole number from 1'],
    [['copy', 'a', 'b', '--part-size', 'big'], '--part-size: "big" is not a size such as'],
    [['copy', 'a', 'b', '--part-size', '64M', '--max-memory', '32M'], '--part-size, 67108864 bytes', '--max-memory'],
    [['copy', 'a', 'b', '--part-size', '0'], '--part-size is 0', 'Leave it out'],
    [
      ['copy', 'a', 'b', '--max-memory', '1M'],
      '--max-memory, 1048576 bytes, does not hold one part',
      'Give at least 8M',
    ],
    [['copy', 'a', 'b', '--max-age', 'yesterday'], '--max-age: "yesterday" is not a duration such as', '2024-01-31'],
    [['copy', 'a', 'b', '--bwlimit', 'fast'], '--bwlimit: "fast" is not bytes per second such as 10M'],
    [['copy', 'a', 'b', '--cutoff-mode', 'x'], '--cutoff-mode', 'hard, soft, cautious'],
    [['copy', 'a', 'b', '--log-level', 'loud'], '--log-level: "loud" is not one of error, notice, info, debug'],
    [['copy', 'a', 'b', '--filter', 'x'], '--filter "x"', 'Write "+ PATTERN"'],
    [['copy', 'a', 'b', '--include', '[z-a]'], '--include "[z-a]": a range is the wrong way round'],
    [['copy', 'a', 'b', '--filter-from', '/no/rules'], 'the filter file /no/rules cannot be read: no such file'],
    [['copy', 'a', 'b', '--checksum', '--size-only'], '--checksum and --size-only', 'choose one'],
    [['copy', 'a', 'b', '-q', '-v'], 'choose one of --quiet and --verbose'],
    [['cat', 'east:b/k', '--head', '1', '--tail', '1'], '--head, --tail', 'exclude each other'],
    [['ls', ''], 'a location is empty', 'remote:bucket/prefix'],
    [['ls', 'gs://b/x'], 'gs:// is not a known scheme', 's3://, oss://,'],
    [['lsl', 'east:'], '"east:" has no bucket', 'east:BUCKET/PREFIX'],
    [['ls', 'east:/b'], '"east:/b" has a "/" where its bucket should start'],
    [['ls', 'esat:b'], 'no remote "esat"', 'config.yaml has east, west, shanghai', 'did you mean "east"?', './esat:b'],
    [['ls', 's3:b/x'], 'did you mean "s3://b/x"?'],
    [['config', 'add', 'lab'], "missing required argument 'setting'"],
    [['config', 'add', 'lab', 'type'], '"type" is no setting', 'write key=value'],
    [['config', 'add', 'lab', 'type=s3', 'secret_access_key=-'], 'no line for secret_access_key'],
    [['config', 'ad'], "unknown command 'ad'", 'Did you mean add?'],
  ];
  test.each(slips)('%j is explained and exits with 2', async (args, ...says) => {
    expectComplaint(await lab.run(args), 'usage', ...says);
  });

  const long = 'x'.repeat(50_000);
  test.each([
    [['copy', 'a', 'b', '--part-size', long]],
    [['copy', 'a', 'b', `--${long}`]],
    [['copy', 'a', 'b', '--include', `${long}[`]],
    [['copy', 'a', 'b', '--filter', long]],
    [['copy', 'a', `${long}:b`]],
    [[long]],
  ])('a value of 50,000 characters is not repeated whole', async (args) => {
    const outcome = await lab.run(args);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(' characters)');
    expect(outcome.stderr.length).toBeLessThan(2000);
  });

  test('a bad value in the environment is laid to the variable, not to an option that nobody gave', async () => {
    const many = await lab.run(['copy', 'a', 'b'], { XSYNC_TRANSFERS: 'many' });
    expectComplaint(many, 'usage', 'XSYNC_TRANSFERS: "many" is not a whole number');
    const maybe = await lab.run(['copy', 'a', 'b'], { XSYNC_DRY_RUN: 'maybe' });
    expectComplaint(maybe, 'usage', 'XSYNC_DRY_RUN is "maybe"', 'neither true nor false');
  });

  test('a log file that cannot be opened is named before anything is copied', async () => {
    const outcome = await lab.run(['copy', 'a', 'b', '--log-file', '/no/such/x.log']);
    expectComplaint(outcome, 'fatal', 'the log file /no/such/x.log cannot be opened: no such file', '--log-file');
  });
});

describe('the config file', () => {
  const SECRET = 'TOP-secret';
  const KEYS = `access_key_id: a, secret_access_key: ${SECRET}`;
  async function config(text: string, mode = 0o600): Promise<string> {
    const file = `${lab.path('config')}.yaml`;
    await writeFile(file, text, { mode });
    await chmod(file, mode);
    return file;
  }

  const broken: [what: string, text: string, ...says: string[]][] = [
    ['an open bracket', 'remotes:\n  lab: { type: s3\n', ':3:1: '],
    ['a tab', 'remotes:\n\tlab: x\n', ':2:1: Tabs are not allowed'],
    ['no type', 'remotes:\n  lab: { region: x }\n', ':2:3: remote "lab" has no type; the types are s3, oss'],
    ['an unknown type', 'remotes:\n  lab: { type: s4 }\n', ':2:16: ', '"s4"', 'did you mean "s3"?'],
    ['a misspelt key', 'remotes:\n  lab:\n    type: s3\n    regoin: x\n', ':4:5: unknown key "regoin"', '"region"?'],
    ['a misspelt start', 'remote:\n  lab: { type: s3 }\n', ':1:1: unknown key "remote"', 'did you mean "remotes"?'],
    [
      'half a key pair',
      'remotes:\n  lab: { type: s3, access_key_id: a }\n',
      'lacks secret_access_key',
      'set both access_key_id and',
    ],
    ['an unset variable', `remotes:\n  lab: { type: s3, region: "\${NOT_SET}" }\n`, ':2:28: ', 'NOT_SET is not set'],
    [
      'a key given twice',
      `remotes:\n  lab: { type: s3, region: x, ${KEYS}, region: y }\n`,
      'region is a duplicate key',
    ],
    ['OSS without a region', `remotes:\n  lab: { type: oss, ${KEYS} }\n`, 'no region or endpoint', 'cn-shanghai'],
  ];
  test.each(broken)('%s is shown by file, line and column', async (_, text, ...says) => {
    const file = await config(text);
    const outcome = await lab.run(['ls', 'lab:b', '--config', file]);
    const place = says[0]?.startsWith(':') ? [`${file}${says[0]}`, ...says.slice(1)] : says;
    expectComplaint(outcome, 'fatal', ...place);
  });

  test('secrets that others can read are refused, with the command that mends it', async () => {
    const file = await config(`remotes:\n  lab: { type: s3, region: x, ${KEYS} }\n`, 0o644);
    const outcome = await lab.run(['ls', 'lab:b', '--config', file]);
    expectComplaint(outcome, 'fatal', `${file} contains secrets but is open to other users`, `chmod 600 ${file}`);
  });

  test('a config file that is not there or is a folder is named', async () => {
    const missing = await lab.run(['ls', 'lab:b', '--config', '/no/config.yaml']);
    expectComplaint(missing, 'fatal', '/no/config.yaml: config file not found', 'xsync config add');
    const folder = await lab.run(['ls', 'lab:b', '--config', lab.directory]);
    expectComplaint(folder, 'fatal', lab.directory, 'it is a directory');
  });

  const slips: [args: string[], exit: 'fatal' | 'usage', ...says: string[]][] = [
    [['add', 'lab', 'region=x'], 'fatal', '"lab" has no type', 's3, oss'],
    [['add', 'lab', 'type=s3', `secret=${SECRET}`], 'fatal', 'unknown key "secret"', 'secret_access_key'],
    [['add', 'la:b', 'type=s3'], 'fatal', '"la:b" cannot be a remote\'s name', 'letters, digits'],
    [['add', 'lab', 'type=s3', 'env_auth=maybe'], 'fatal', 'env_auth of remote "lab" must be true or false', '"maybe"'],
    [['add', 'old', 'type=s3', 'env_auth=true'], 'fatal', 'the remote "old" exists already', 'another name'],
    [['remove', 'odl'], 'fatal', 'there is no remote "odl"', 'did you mean "old"?'],
    [['show', 'odl'], 'fatal', 'has no remote "odl"', 'it has old'],
    [['import', '/no/rclone.conf'], 'fatal', 'the config /no/rclone.conf cannot be read: no such file'],
    [['list', 'x'], 'usage', "too many arguments for 'list'"],
  ];
  test.each(slips)('config %j is explained and leaves the file as it was', async (args, exit, ...says) => {
    const before = 'remotes:\n  # mine\n  old: { type: s3, env_auth: true }\n';
    const file = await config(before);
    expectComplaint(await lab.run(['config', ...args, '--config', file]), exit, ...says);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('an rclone config that is none, or encrypted, is refused with what to do', async () => {
    const file = await config('remotes:\n');
    const garbage = await config('neither this\nnor that\n');
    const refused = await lab.run(['config', 'import', garbage, '--config', file]);
    expectComplaint(refused, 'fatal', `${garbage}:1: neither [remote] nor key = value`);
    const locked = await config('# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabcd');
    const encrypted = await lab.run(['config', 'import', locked, '--config', file]);
    expectComplaint(encrypted, 'fatal', `${locked} is encrypted by rclone`, 'rclone config show');
  });

  test('s3:// and oss:// without credentials say where to put them', async () => {
    const nothing = { AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
    const s3 = await lab.run(['ls', 's3://some-bucket'], nothing);
    expectComplaint(s3, 'fatal', 'returned no credentials', 'AWS_ACCESS_KEY_ID', 'aws sso login');
    expectComplaint(await lab.run(['ls', 'oss://some-bucket']), 'fatal', 'OSS region', 'OSS_REGION');
  });
});

describe('the state of a pair', () => {
  test('a damaged manifest is named, kept, and said how to be replaced', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('a', 'x');
    const file = `${lab.path('damaged')}.db`;
    await writeFile(file, 'this is no database, really not. '.repeat(300));
    const outcome = await lab.run(['copy', source.at(), dest.at(), '--manifest', file]);
    expectComplaint(outcome, 'fatal', `the manifest ${file} is damaged or is not a manifest`, 'xsync manifest rebuild');
    expect(await readFile(file, 'utf8')).toContain('no database');
    expect(dest.keys()).toEqual([]);
  });

  test('a manifest of another pair is not written over', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const file = `${lab.path('other')}.db`;
    await lab.run(['copy', source.at(), dest.at(), '--manifest', file]);
    const outcome = await lab.run(['copy', source.at(), dest.at('other'), '--manifest', file]);
    expectComplaint(
      outcome,
      'fatal',
      `the manifest ${file} belongs to`,
      `${dest.name}/other/`,
      'Choose another manifest file',
    );
  });

  test('--manifest in a folder that is still to be made makes it, for its owner alone', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const folder = lab.path('new');
    const outcome = await lab.run(['copy', source.at(), dest.at(), '--manifest', join(folder, 'deep/m.db')]);
    expect(outcome.code, outcome.stderr).toBe(EXIT.ok);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test('a state folder that cannot be made, and a manifest that is a folder, are named', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const file = lab.path('file');
    await writeFile(file, '');
    const state = await lab.run(['copy', source.at(), dest.at()], { XDG_STATE_HOME: file });
    expectComplaint(state, 'fatal', `${file}/xsync/`, 'cannot be written', 'owner and permissions');
    const loop = lab.path('loop');
    await symlink(loop, loop);
    const circular = await lab.run(['copy', source.at(), dest.at()], { XDG_STATE_HOME: loop });
    expectComplaint(circular, 'fatal', `${loop}/xsync/`, 'cannot be written: too many symbolic links');
    const status = await lab.run(['status', source.at(), dest.at()], { XDG_STATE_HOME: loop });
    expectComplaint(status, 'fatal', `${loop}/xsync cannot be read: too many symbolic links encountered`);
    const config = await lab.run(['ls', source.at(), '--config', loop]);
    expectComplaint(config, 'fatal', `${loop}: cannot read the config file: too many symbolic links encountered —`);
    const folder = lab.path('folder');
    await mkdir(folder);
    const manifest = await lab.run(['copy', source.at(), dest.at(), '--manifest', folder]);
    expectComplaint(manifest, 'fatal', `the manifest ${folder} cannot be written`);
  });

  test('a second run of one pair is told who is at it, and the first goes on', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('a', 'x');
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      const run = (): Promise<void> => {
        resolve();
        return held;
      };
      source.fault({ kind: 'call', run }, { kind: 'GetObject' });
    });
    const first = lab.start(['copy', source.at(), dest.at()]);
    await reached;
    const second = await lab.run(['copy', source.at(), dest.at()]);
    expectComplaint(second, 'temporary', 'this pair is in use by process', String(first.pid), '(copy)', 'Wait until');
    release();
    expect((await first.done).code).toBe(EXIT.ok);
    expect(dest.keys()).toEqual(['a']);
  });
});
