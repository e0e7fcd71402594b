/** `--workers`: threads of the built program. The other suites run with two of them when XSYNC_WORKERS says so. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** Loaded into every thread of the program. */
function preloaded(code: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

function filled(): { from: Bucket; to: Bucket } {
  const from = lab.east.bucket();
  const to = lab.shanghai.bucket();
  for (let i = 0; i < 30; i++) from.put(`small-${i}`, bytesOf(`${i}`, 1000));
  from.put('large', bytesOf('large', 12 * MiB));
  return { from, to };
}

describe('--workers', () => {
  test('an uncaught fault in a worker ends the run with an error, and not with a wait', async () => {
    const { from, to } = filled();
    const code = `
      import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) setImmediate(() => { throw new TypeError('a fault'); });
    `;
    const outcome = await lab.run(['copy', from.at(), to.at(), '--workers', '2'], preloaded(code));
    expect(outcome.code).toBe(EXIT.other);
    expect(outcome.stderr).toContain('a worker thread ended: a fault');
    const again = await lab.run(['copy', from.at(), to.at(), '--workers', '2']);
    expect(again.code).toBe(0);
    expect(to.keys().sort()).toEqual(from.keys().sort());
  });

  test('a worker that exits is an error, too', async () => {
    const { from, to } = filled();
    const code = `
      import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) setImmediate(() => process.exit(3));
    `;
    const outcome = await lab.run(['copy', from.at(), to.at(), '--workers', '2'], preloaded(code));
    expect(outcome.code).toBe(EXIT.other);
    expect(outcome.stderr).toContain('a worker thread ended: it exited with code 3');
  });

  test.each([[['--tpslimit', '1000']], [['--bwlimit', '1G']], [['--dry-run']], [['--dump', 'headers']]])(
    'what one thread must see or pace stays in one thread: %s',
    async (options) => {
      const { from, to } = filled();
      const code = `
      import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) throw new Error('a thread');
    `;
      const outcome = await lab.run(['copy', from.at(), to.at(), '--workers', '2', ...options], preloaded(code));
      expect(outcome.code).toBe(0);
    },
  );
});
