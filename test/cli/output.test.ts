import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/context.js';
import { Output, OutputClosed } from '../../src/cli/output.js';
import { lockPair } from '../../src/manifest/sqlite/lock.js';
import { fakeIo } from './fixtures.js';

function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error(`${code}: what the system says, write`), { code, syscall: 'write' })),
  });
}

describe('standard output', () => {
  it('whose reader has gone ends a listing quietly', async () => {
    const io = { ...fakeIo(), stdout: failing('EPIPE') };
    const code = await runCommand(io, { verbose: 0 }, { bars: false }, async ({ out }) => {
      await out.write('line\n');
      return 0;
    });
    expect(code).toBe(141);
    expect(io.stderr.text()).toBe('');
    await expect(new Output(failing('EPIPE')).write('x')).rejects.toBeInstanceOf(OutputClosed);
  });

  it('on a full disk is an error that says so: a listing that lost its end must not look whole', async () => {
    await expect(new Output(failing('ENOSPC')).write('x')).rejects.toMatchObject({
      code: 'disk-full',
      message: 'standard output cannot be written: what the system says',
    });
  });

  it('whose reader has gone does not stop a copy that tells it what it does', async () => {
    const io = { ...fakeIo(), stdout: failing('EPIPE') };
    const code = await runCommand(io, { verbose: 0, json: true }, { bars: true }, async ({ log }) => {
      for (let index = 0; index < 3; index++) {
        log.report({ type: 'skip', key: 'k', size: 1, reason: 'unchanged' });
        await new Promise((resolve) => setImmediate(resolve));
      }
      return 0;
    });
    expect(code).toBe(0);
    expect(io.stderr.text()).toBe('xsync: standard output was closed; continuing without --json\n');
  });

  it('on a full disk does not stop a copy, but the lost events are an error', async () => {
    const io = { ...fakeIo(), stdout: failing('ENOSPC') };
    const code = await runCommand(io, { verbose: 0, json: true }, { bars: true }, async ({ log }) => {
      log.report({ type: 'skip', key: 'k', size: 1, reason: 'unchanged' });
      return 0;
    });
    expect(code).toBe(7);
    expect(io.stderr.text()).toBe(
      'xsync: standard output cannot be written: what the system says; continuing without --json\n' +
        'xsync: standard output cannot be written: what the system says\n',
    );
  });
});

describe('-q', () => {
  const overlapping = async (sinceMs: number): Promise<[number, string]> => {
    const directory = mkdtempSync(join(tmpdir(), 'xsync-overlap-'));
    const holder = { pid: process.pid, host: hostname(), sinceMs, command: 'sync' };
    const file = join(directory, 'm.db');
    const lock = lockPair(file, holder);
    const io = { ...fakeIo(), now: Date.now };
    try {
      const code = await runCommand(io, { verbose: 0, quiet: true }, { bars: false }, async () => {
        lockPair(file, holder);
        return 0;
      });
      return [code, io.stderr.text()];
    } finally {
      lock.release();
      rmSync(directory, { recursive: true });
    }
  };

  it('says nothing of a run that overlaps with the last one, unless that is older than a day', async () => {
    expect(await overlapping(Date.now() - 3_600_000)).toEqual([5, '']);
    const [code, text] = await overlapping(Date.now() - 25 * 3_600_000);
    expect([code, text]).toEqual([5, expect.stringContaining('this pair is in use by process')]);
  });
});
