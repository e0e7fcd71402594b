/** The quick start, as `npm run quickstart` runs it but smaller, and what its last word is worth. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBack } from '../../examples/quickstart/readback.js';
import { startServer } from '../support/server/index.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MINUTE = 60_000;

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'xsync-test-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

test(
  'a newcomer sees a copy killed, resumed and proven, and finds nothing left behind',
  async () => {
    const { child, output } = start();
    const [code] = await once(child, 'close');

    expect(code, output()).toBe(0);
    expect(output()).toMatch(/\$ kill -9 \d+\n\d+ objects and \d+ parts of backup\/disk\.img had arrived\./);
    expect(output()).toMatch(/would abort backup\/disk\.img/);
    expect(output()).toMatch(/Resumed +1 object: \d+ parts?, /);
    expect(output()).toMatch(/✓ 61 objects are the same on disk, S3 and OSS \(\d+ MiB read\)/);
    expect(output()).toMatch(/✓ [1-9]\d* of 9 parts were not sent again after the kill/);
    expect(output()).toMatch(/✓ 0 multipart uploads are left unfinished/);
    expect(output()).toMatch(/✓ no HEAD for a small object in four runs; \d for backup/);
    expect(output()).toContain('Every byte verified.');
    expect(output()).not.toMatch(/✗|Warning:/);
    await expectNothingLeft(child);
  },
  3 * MINUTE,
);

test(
  'Ctrl-C in the middle of the quick start leaves no process and no file',
  async () => {
    const { child, output } = start();
    await until(() => output().includes('$ xsync copy files'));
    // As a terminal sends it: to the whole group.
    process.kill(-pidOf(child), 'SIGINT');
    const [code] = await once(child, 'close');

    expect(code, output()).toBe(130);
    await expectNothingLeft(child);
  },
  MINUTE,
);

test('a size that is no number is refused before anything is started', async () => {
  const { child, output } = start({ XSYNC_QUICKSTART_BIG_MIB: 'huge' });
  const [code] = await once(child, 'close');

  expect(code).toBe(2);
  expect(output()).toContain('XSYNC_QUICKSTART_BIG_MIB must be a whole number of at least 64, not huge');
});

test('an object that is damaged, missing or too many on one side is told from one that arrived', async () => {
  const server = await startServer({ oss: { pathStyle: true } });
  try {
    for (const side of [server.core.s3, server.core.oss]) side.createBucket('bucket');
    await mkdir(join(temporary, 'folder'));
    for (const name of ['whole', 'damaged', 'folder/lost']) {
      await writeFile(join(temporary, name), name);
      server.core.s3.put('bucket', name, name);
      if (name !== 'folder/lost') server.core.oss.put('bucket', name, name.replace('damaged', 'damagee'));
    }
    server.core.oss.put('bucket', 'stray', '');

    const back = await readBack(temporary, 'bucket', server);

    expect(back.objects).toBe(4);
    expect(back.differences.sort()).toEqual([
      'damaged: its bytes differ',
      'folder/lost: not on OSS',
      'stray: not on disk, S3',
    ]);
  } finally {
    await server.close();
  }
});

test('the example config is one that xsync takes, with each type of remote', () => {
  const names = ['SHANGHAI_KEY_ID', 'SHANGHAI_KEY_SECRET', 'BEIJING_KEY_ID', 'BEIJING_KEY_SECRET', 'LAB_KEY_ID'];
  const env = {
    PATH: process.env.PATH,
    ...Object.fromEntries([...names, 'LAB_KEY_SECRET'].map((name) => [name, name])),
  };
  const args = ['bin/xsync.js', 'config', 'list', '--config', 'examples/config.yaml'];

  const shown = execFileSync(process.execPath, args, { cwd: PROJECT, env, encoding: 'utf8' });

  expect(shown.trim().split(/\s+/)).toEqual([
    'shanghai',
    'oss',
    'hangzhou',
    'oss',
    'virginia',
    's3',
    'beijing',
    's3',
    'lab',
    's3',
    'disk',
    'local',
  ]);
});

/** Starts the script in a process group and a temporary folder of its own. */
function start(settings: NodeJS.ProcessEnv = {}): { child: ChildProcess; output: () => string } {
  const env = {
    ...process.env,
    TMPDIR: temporary,
    XSYNC_QUICKSTART_FILES: '60',
    XSYNC_QUICKSTART_BIG_MIB: '64',
    ...settings,
  };
  const script = join(PROJECT, 'examples', 'quickstart.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: PROJECT, env, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { child, output: () => text };
}

async function expectNothingLeft(child: ChildProcess): Promise<void> {
  // tsx keeps its cache of compiled scripts there.
  expect((await readdir(temporary)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  // The compiler that tsx starts ends a moment after the script.
  await expect.poll(() => groupExists(pidOf(child)), { timeout: 10_000 }).toBe(false);
}

function groupExists(id: number): boolean {
  try {
    return process.kill(-id, 0);
  } catch {
    return false;
  }
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the script was not started');
  return pid;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
