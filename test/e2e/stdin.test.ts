/** What standard input can be, by the built program. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab } from './harness.js';

const BINARY = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));
let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.close());

/** @param input what standard input is */
async function rcat(input: string, path: string): Promise<{ code: number | null; stderr: string }> {
  const fd = openSync(input, 'r');
  try {
    const child = spawn(process.execPath, [BINARY, 'rcat', path], { env: lab.env, stdio: [fd, 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stderr }));
    });
  } finally {
    closeSync(fd);
  }
}

test('a file is read, and a folder is no empty input', async () => {
  const folder = lab.path();
  mkdirSync(folder, { recursive: true });
  const [input, kept] = [join(folder, 'input'), join(folder, 'kept')];
  writeFileSync(input, 'new');
  writeFileSync(kept, 'old');
  const { code, stderr } = await rcat(folder, kept);
  expect([code, stderr]).toEqual([7, expect.stringContaining('xsync: standard input cannot be read')]);
  expect(readFileSync(kept, 'utf8')).toBe('old');
  expect(await rcat(input, kept)).toEqual({ code: 0, stderr: '' });
  expect(readFileSync(kept, 'utf8')).toBe('new');
});

test('Ctrl-C ends a wait for input, and what stands there stays', async () => {
  const folder = lab.path();
  mkdirSync(folder, { recursive: true });
  const kept = join(folder, 'kept');
  writeFileSync(kept, 'old');
  const child = spawn(process.execPath, [BINARY, 'rcat', kept, '-v'], {
    env: lab.env,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  // The pipe takes more than it holds only when the program reads.
  await new Promise((resolve) => child.stdin.write(Buffer.alloc(1024 * 1024), resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(readFileSync(kept, 'utf8')).toBe('old');
});
