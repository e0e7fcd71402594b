import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Calls } from '../../../src/store/local/calls.js';

/** A clock on which each call takes so many milliseconds. */
function clock(tookMs: () => number): () => number {
  let at = 0;
  return () => (at += tookMs() / 2);
}

describe('calls on files', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'xsync-calls-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const look = (calls: Calls) => calls.mayExist(directory);

  it('do not hold up everything else on a disk that is slow, and find out when it is quick again', async () => {
    let tookMs = 10;
    const calls = new Calls(clock(() => tookMs));
    for (let n = 0; n < 64; n++) expect(look(calls)).toBe(true);
    expect(look(calls)).toBeInstanceOf(Promise);
    tookMs = 0.01;
    for (let n = 0; n < 4095; n++) expect(await look(calls)).toBe(true);
    for (let n = 0; n < 200; n++) expect(look(calls)).toBe(true);
  });

  it('are made at once as long as only a few are slow: other processes run, too', () => {
    let n = 0;
    const calls = new Calls(clock(() => (n % 10 === 0 ? 200 : 0.01)));
    for (; n < 640; n++) expect(look(calls)).toBe(true);
  });

  it('do the same whether they are made at once or by the thread pool', async () => {
    for (const tookMs of [0, 10]) {
      const calls = new Calls(clock(() => tookMs));
      for (let n = 0; n < 64; n++) look(calls);
      const path = join(directory, `made ${tookMs}`);
      const fd = calls.open(path, 'wx');
      expect(fd instanceof Promise).toBe(tookMs > 0);
      expect(await calls.write(await fd, Buffer.from('bytes'), 0)).toBe(5);
      await calls.utimes(await fd, 1_000_000_000);
      expect(await calls.stat(await fd)).toMatchObject({ size: 5n, mtimeMs: 1_000_000_000_000n });
      await calls.close(await fd);
      await calls.rename(path, `${path} and moved`);
      expect(await readFile(`${path} and moved`, 'utf8')).toBe('bytes');
    }
  });
});
