/** A bridge that carries histories: every version and delete marker, in order, once. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestServer } from '../support/server/index.js';
import { Bridge, listening, openSides } from './bridging.js';
import { until } from './harness.js';

const { lab, near, far, line, running } = await openSides();

type Core = TestServer['core']['s3'];

async function scene(): Promise<Bridge> {
  const s = await Bridge.open({ lab, near, far, line, running });
  near.core.s3.bucket(s.from).versioning = 'Enabled';
  far.core.oss.bucket(s.to).versioning = 'Enabled';
  return s;
}

/** Every key with its versions, the oldest first; `-` is a delete marker. */
function historyOf(core: Core, bucket: string, prefix = ''): Record<string, string[]> {
  const whole = core.bucket(bucket);
  return Object.fromEntries(
    whole
      .keys()
      .filter((key) => key.startsWith(prefix))
      .map((key) => [
        key.slice(prefix.length),
        whole
          .versionsOf(key)
          .map(({ deleteMarker, bytes }) => (deleteMarker ? '-' : bytes.buffer().toString()))
          .reverse(),
      ]),
  );
}

function write(s: Bridge, steps: readonly (readonly [string, string])[]): void {
  for (const [key, body] of steps) {
    if (body === '-') s.remove(key);
    else near.core.s3.put(s.from, key, body, { metadata: { of: body } });
  }
}

const SAMPLE = [
  ...[
    ['a', '1'],
    ['b', '1'],
    ['a', '22'],
    ['a', '-'],
    ['a', '333'],
    ['gone', 'x'],
    ['gone', '-'],
    ['never', '-'],
  ],
] as [string, string][];

test('a history crosses in order; later versions follow; a key without versions is hidden; and nothing is sent twice', async () => {
  const s = await scene();
  write(s, SAMPLE);
  await s.pull('--versions', '--delete');
  const options = ['--versions', '--delete', '--backfill', '--once'];
  const first = await s.push(...options).done;
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end (8 of 8 versions)') });
  expect(historyOf(far.core.oss, s.to, 'in/')).toEqual(historyOf(near.core.s3, s.from));
  expect(near.requests.counts()).toEqual({ ListObjectVersions: 1, GetObject: 5 });
  expect(far.requests.counts()).toMatchObject({ PutObject: 5, DeleteObject: 3 });

  write(s, [
    ['a', '4444'],
    ['b', '-'],
    ['b', 'back'],
  ]);
  // Deleted for good, after it had crossed.
  for (const { versionId } of [...near.core.s3.bucket(s.from).versionsOf('gone')]) {
    near.core.s3.delete(s.from, 'gone', versionId);
  }
  near.requests.reset();
  const second = await s.push(...options).done;
  expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end') });
  const there = historyOf(far.core.oss, s.to, 'in/');
  expect(there).toEqual({ ...historyOf(near.core.s3, s.from), gone: ['x', '-'] });
  expect(near.requests.find('GetObject')).toHaveLength(2);

  // Whoever has lost everything that was known carries nothing twice.
  for (const one of running.splice(0)) {
    one.kill('SIGKILL');
    await one.done;
  }
  for (const home of [s.pushHome, s.pullHome]) await rm(home.XDG_STATE_HOME ?? '', { recursive: true });
  far.requests.reset();
  await s.pull('--versions', '--delete');
  expect((await s.push(...options).done).code).toBe(0);
  expect(historyOf(far.core.oss, s.to, 'in/')).toEqual(there);
  expect(far.requests.find('PutObject')).toHaveLength(0);
});

test('both ends are killed again and again: no version is lost, none is there twice; one that is gone is told', async () => {
  const s = await scene();
  const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
  for (const round of ['1', '2', '-', '4'])
    write(
      s,
      keys.map((key) => [key, round]),
    );
  const [, lost] = near.core.s3.bucket(s.from).versionsOf('k3');
  let pull = await s.pull('--versions');
  for (let n = 0; n < 4; n++) {
    const before = far.requests.count();
    const push = s.push('--versions', '--backfill', '--interval', 'off');
    await until(() => far.requests.count() >= before + 8, { orElse: push.done });
    if (n === 0 && lost) near.core.s3.delete(s.from, 'k3', lost.versionId);
    pull.kill('SIGKILL');
    push.kill('SIGKILL');
    await Promise.all([push.done, pull.done]);
    pull = await s.pull('--versions');
  }
  const last = await s.push('--versions', '--backfill', '--once').done;
  expect(last.code).toBe(0);
  const there = historyOf(far.core.oss, s.to, 'in/');
  // It may have crossed before.
  expect(there.k3?.filter((body) => body !== '-' || lost === undefined)).toEqual(['1', '2', '4']);
  expect({ ...there, k3: ['1', '2', '4'] }).toEqual(historyOf(near.core.s3, s.from));
  const status = await lab.run(['status', `own:${s.from}`, line.url], s.pushHome);
  expect(status.stdout).toMatch(/100% at the other end \(4[78] of 4[78] versions\)/);
});

test('a version that is given up holds up the newer ones of its key alone; a gone one holds up nothing', async () => {
  const s = await scene();
  write(s, [
    ['a', '1'],
    ['a', '2'],
    ['a', '3'],
    ['b', '1'],
    ['b', '2'],
  ]);
  const fault = { kind: 'status', status: 404, code: 'NoSuchVersion' } as const;
  near.faults.add({ match: { kind: 'GetObject', key: 'a', times: 1 }, fault });
  far.faults.add({
    match: { kind: 'PutObject', key: 'in/b' },
    fault: { kind: 'status', status: 403, code: 'AccessDenied' },
  });
  await s.pull('--versions', '--attempts', '1');
  const push = await s.push('--versions', '--backfill', '--once').done;
  expect(push).toMatchObject({ code: 6, stderr: expect.stringContaining('given up "b"') });
  expect(historyOf(far.core.oss, s.to, 'in/')).toEqual({ a: ['1', '2', '3'] });
  far.faults.clear();
  expect((await lab.run(['retry', `own:${s.from}`, line.url], s.pushHome)).stderr).toContain(
    '1 ticket will be sent again',
  );
  expect((await s.push('--versions', '--once').done).code).toBe(0);
  expect(historyOf(far.core.oss, s.to, 'in/')).toEqual(historyOf(near.core.s3, s.from));
  const other = await s.push('--once').done;
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('this bridge was started with --versions') });
});

test('a version that is deleted for good before it crosses is told and left out, once', async () => {
  const s = await scene();
  write(s, [
    ['a', '1'],
    ['a', '2'],
    ['a', '3'],
  ]);
  const gone = 'a version of "a" is gone from the source before it has crossed';
  const oldest = near.core.s3.bucket(s.from).versionsOf('a').at(-1)?.versionId;
  near.faults.add({
    match: { kind: 'GetObject', key: 'a', nth: 1 },
    fault: { kind: 'call', run: () => void near.core.s3.delete(s.from, 'a', oldest) },
  });
  await s.pull('--versions');
  const push = await s.push('--versions', '--backfill', '--once').done;
  expect(push).toMatchObject({ code: 0, stderr: expect.stringContaining(gone) });
  expect(historyOf(far.core.oss, s.to, 'in/')).toEqual({ a: ['2', '3'] });
  expect(near.requests.find('GetObject').map(({ status }) => status)).toEqual([404, 206, 206]);
  near.requests.reset();
  const again = await s.push('--versions', '--backfill', '--once').done;
  expect([again.code, again.stderr.includes(gone)]).toEqual([0, false]);
  expect(near.requests.counts()).toEqual({ ListObjectVersions: 1 });
});

test('the other way around: what was pulled is pushed back, and tickets of the other kind are refused', async () => {
  const s = await scene();
  write(s, SAMPLE);
  await s.pull('--versions');
  expect((await s.push('--versions', '--backfill', '--once').done).code).toBe(0);
  const back = near.core.s3.createBucket(`back-${s.from}`, { versioning: 'Enabled' });
  const pull = lab.start(
    [
      'bridge',
      'pull',
      `own:${back.name}`,
      '--listen',
      ':0',
      '--allow-private',
      '*.oss.test',
      '--versions',
      '--name',
      'back',
    ],
    s.pushHome,
  );
  running.push(pull);
  const push = (...more: string[]) =>
    lab.run(['bridge', 'push', `own:${s.to}/in`, line.url, '--backfill', '--once', ...more], s.pullHome);
  line.to = await listening(pull);
  const there = await push('--versions');
  expect(there).toMatchObject({ code: 0, stderr: expect.stringContaining('100% at the other end (8 of 8 versions)') });
  expect(historyOf(near.core.s3, back.name)).toEqual(historyOf(near.core.s3, s.from));
  await rm(join(s.pullHome.XDG_STATE_HOME ?? '', 'xsync'), { recursive: true });
  const plain = await push();
  expect(plain).toMatchObject({ code: 6, stderr: expect.stringContaining('only versions are accepted here') });
});
