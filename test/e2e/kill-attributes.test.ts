/** Killed with SIGKILL between the bytes of objects and their attributes: the next run sets what is missing. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault, RequestKind } from '../support/server/index.js';
import { bytesOf } from './fixtures.js';
import { Lab, type Running, summaryOf } from './harness.js';

const TAGS = [{ key: 'a', value: '1' }];
const SIZE = 300 * 1024;
const KEYS = ['large 1', 'large 2', 'large 3', 'small'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** The last request before the end, and whether the service has carried it out. */
const INSTANTS: [RequestKind, nth: number, carriedOut: boolean][] = [
  ['CompleteMultipartUpload', 1, true],
  ['CompleteMultipartUpload', 2, true],
  ['PutObjectAcl', 1, false],
  ['PutObjectAcl', 3, true],
  ['PutObject', 1, true],
];

test.each(INSTANTS)('at %s number %i, carried out: %s', async (kind, nth, carriedOut) => {
  const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (const key of KEYS) {
    const bytes = bytesOf(key, key === 'small' ? 10 : SIZE);
    source.put(key, bytes, { tags: TAGS, acl: 'public-read', metadata: { m: key.replace(' ', '-') } });
  }
  const args = ['copy', source.at(), dest.at(), '--json', '--tags', '--acl', '--part-size', '100K'];
  let running: Running | undefined;
  const run = () => {
    running?.kill('SIGKILL');
    return carriedOut ? undefined : new Promise<void>(() => {});
  };
  dest.fault({ kind: 'call', run } satisfies Fault, { kind, nth });
  running = lab.start(args);
  expect((await running.done).signal).toBe('SIGKILL');

  lab.reset();
  const next = await lab.run(args);
  expect(summaryOf(next)).toMatchObject({ failed: { objects: 0 } });
  for (const key of KEYS) {
    const metadata = { m: key.replace(' ', '-') };
    expect(dest.remote.store.get(dest.name, key), key).toMatchObject({ tags: TAGS, acl: 'public-read', metadata });
    expect(dest.read(key).equals(source.read(key))).toBe(true);
  }
  expect(dest.unfinished()).toEqual([]);
  lab.reset();
  expect(summaryOf(await lab.run(args)).copied.objects).toBe(0);
  expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
});
