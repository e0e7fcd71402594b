/** What a pair tells of itself while a run is at work, and after it was killed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab, until } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});

afterAll(() => lab.close());

interface Status {
  atWork?: { command: string; pid: number };
  lastRun: { outcome: string };
  pending: { objects: number };
  rate?: { bytes: number };
  history: { objects: number; ofObjects: number; percent: number };
  synchronised?: { untilMs: number };
}

test('a run is seen at work from outside, a killed one shows as killed, and the next one makes it whole', async () => {
  const source = lab.east.bucket();
  const dest = lab.shanghai.bucket();
  for (let n = 0; n < 40; n++) source.put(`k${n}`, Buffer.alloc(20_000, n));
  const look = async (): Promise<Status> => {
    const { code, stdout, stderr } = await lab.run(['status', source.at(), dest.at(), '--json']);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Status;
  };
  const heal = dest.fault({ kind: 'slow', delayMs: 1000 }, { kind: 'PutObject' });
  const run = lab.start(['sync', source.at(), dest.at(), '--transfers', '4']);
  await until(() => dest.requests('PutObject').length >= 12, { orElse: run.done });
  const working = await look();
  expect(working.atWork).toMatchObject({ pid: run.pid });
  expect(working.lastRun.outcome).toBe('running');
  expect(working.synchronised).toBeUndefined();
  run.kill('SIGKILL');
  await run.done;
  const killed = await look();
  expect(killed.atWork).toBeUndefined();
  expect(killed.lastRun.outcome).toBe('killed');
  expect(killed.history.percent).toBeLessThan(100);

  heal();
  const before = Date.now();
  expect((await lab.run(['sync', source.at(), dest.at()])).code).toBe(0);
  const whole = await look();
  expect(whole).toMatchObject({
    ...{ lastRun: { outcome: 'complete' }, pending: { objects: 0 } },
    history: { objects: 40, ofObjects: 40, percent: 100 },
  });
  expect(whole.synchronised?.untilMs).toBeGreaterThanOrEqual(before);
  expect((await lab.run(['status', '--rpo', '1h'])).code).toBe(0);
});

test('an object that needs a person holds the watermark back, and a retry of it alone makes it whole', async () => {
  const source = lab.east.bucket();
  const dest = lab.west.bucket();
  source.put('good', 'fine');
  source.put('bad', 'refused');
  const heal = dest.fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'PutObject', key: 'bad' });
  expect((await lab.run(['sync', source.at(), dest.at()])).code).toBe(6);
  const { stdout } = await lab.run(['status', source.at(), dest.at()]);
  expect(stdout.replace(/\s+/g, ' ')).toContain('held back by 1 failed object: bad (access-denied)');
  expect((await lab.run(['retry', source.at(), dest.at()])).code).toBe(6);
  heal();
  lab.reset();
  const retried = await lab.run(['retry', source.at(), dest.at()]);
  expect([retried.code, source.counts().ListObjects, dest.counts().ListObjects]).toEqual([0, undefined, undefined]);
  expect(dest.read('bad').toString()).toBe('refused');
  const after = await lab.run(['status', source.at(), dest.at()]);
  expect(after.stdout).toContain('100% of 2 objects');
  expect(after.stdout).not.toContain('held back');
});
