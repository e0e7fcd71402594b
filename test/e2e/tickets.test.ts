/** The built program, whose every ticket and outcome goes through JSON, as it would to another machine. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab, type Outcome } from './harness.js';
import { buildWithJsonTickets } from './json-tickets.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
  lab.program = await buildWithJsonTickets(lab.path('program'));
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** Runs xsync. @returns how it ended, and the tickets that it performed: `action key outcome` */
async function run(...args: string[]): Promise<{ outcome: Outcome; tickets: string[] }> {
  const file = lab.path('tickets');
  await rm(file, { force: true });
  const outcome = await lab.run(args, { XSYNC_TEST_TICKETS: file });
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return { outcome, tickets: lines.map((line) => (JSON.parse(line) as string[]).join(' ')).sort() };
}

function filled(): { from: Bucket; to: Bucket } {
  const from = lab.east.bucket();
  const to = lab.shanghai.bucket();
  for (const key of ['small', 'gone', 'über/～ 名']) from.put(key, bytesOf(key, 1000));
  from.put('large', bytesOf('large', 12 * MiB));
  return { from, to };
}

describe('tickets through JSON', () => {
  test('copy, replace with a backup, and delete', async () => {
    const { from, to } = filled();
    const aside = lab.shanghai.bucket();
    const first = await run('sync', from.at(), to.at(), '--part-size', '5M');
    expect(first.outcome.code).toBe(0);
    expect(first.tickets).toEqual([
      'copy gone copied',
      'copy large copied',
      'copy small copied',
      'copy über/～ 名 copied',
    ]);
    expect(Buffer.compare(to.read('large'), bytesOf('large', 12 * MiB))).toBe(0);
    from.put('small', bytesOf('new', 2000));
    from.remove('gone');
    const second = await run('sync', from.at(), to.at(), '--backup-dir', aside.at());
    expect(second.outcome.code).toBe(0);
    expect(second.tickets).toEqual(['copy small copied', 'delete gone deleted']);
    expect(aside.keys().sort()).toEqual(['gone', 'small']);
    expect(Buffer.compare(aside.read('small'), bytesOf('small', 1000))).toBe(0);
    expect(to.keys().sort()).toEqual(from.keys().sort());
  });

  test('a failure, its retry, and a repair', async () => {
    const { from, to } = filled();
    const heal = to.fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'PutObject', key: 'small' });
    const failed = await run('copy', from.at(), to.at());
    expect(failed.outcome.code).toBe(6);
    expect(failed.tickets).toContain('copy small failed');
    heal();
    const retried = await run('retry', from.at(), to.at());
    expect(retried.outcome.code).toBe(0);
    expect(retried.tickets).toEqual(['copy small copied']);
    to.put('small', bytesOf('other', 1000));
    const repaired = await run('check', from.at(), to.at(), '--repair');
    expect(repaired.tickets).toEqual(['copy small copied']);
    expect(Buffer.compare(to.read('small'), bytesOf('small', 1000))).toBe(0);
  });
});
