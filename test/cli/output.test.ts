import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/context.js';
import { Output, OutputClosed } from '../../src/cli/output.js';
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
    expect(io.stderr.text()).toBe('xsync: standard output was closed: continuing without --json\n');
  });
});
