import { expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, Pair } from '../support.js';

async function pairWithBadKey(): Promise<Pair> {
  const pair = new Pair();
  for (const key of ['/bad', 'good']) await pair.source.put(key, bytesOf(key, 10));
  pair.dest.checkKey = (key) => {
    if (key.startsWith('/')) throw new XsyncError('key-not-representable', 'no leading slash here', { subject: key });
  };
  return pair;
}

test('a key that the destination cannot hold costs no request, fails alone and is listed', async () => {
  const pair = await pairWithBadKey();
  const run = await pair.copy();
  expect(run.copied.objects).toBe(1);
  expect(run.failed.list).toMatchObject([{ key: '/bad', code: 'key-not-representable' }]);
  expect(run.traffic.source.requests).toEqual({ list: 1, read: 1 });
  expect(pair.manifest.failures()).toMatchObject([{ key: '/bad' }]);
});

test('a dry run promises no copy of it, and notes nothing', async () => {
  const pair = await pairWithBadKey();
  const run = await pair.copy({ dryRun: true });
  expect(run.copied.objects).toBe(1);
  expect(run.failed.list).toMatchObject([{ key: '/bad', code: 'key-not-representable' }]);
  expect(pair.manifest.failures()).toEqual([]);
});

test('an object larger than the destination takes is told before it is read', async () => {
  const pair = new Pair({ dest: { capabilities: { maxObjectSize: 99 } } });
  await pair.source.put('big', bytesOf('big', 100));
  const run = await pair.copy();
  expect(run.failed.list).toMatchObject([{ key: 'big', code: 'object-too-large' }]);
  expect(run.traffic.source.requests).toEqual({ list: 1 });
});
