import { beforeEach, describe, expect, test } from 'vitest';
import { planCopy, routeOf } from '../../../src/engine/plan/plan.js';
import { XsyncError } from '../../../src/model/error.js';
import { MirrorPair } from '../mirror.js';

/** Stores that compare nothing themselves. */
const BLIND = { capabilities: { writesIfMatch: undefined } };

describe('a write of a mirror, where the store compares nothing', () => {
  let pair: MirrorPair;
  beforeEach(async () => {
    pair = new MirrorPair({ source: BLIND, dest: BLIND });
    await pair.a({ k: '0', x: 'x' });
    await pair.mirror();
  });

  test('costs one HEAD directly before it', async () => {
    await pair.a({ k: '1', l: '1' });
    const calls: string[] = [];
    for (const kind of ['head', 'read', 'put'] as const) {
      pair.faults.source.before(kind, ({ key }) => calls.push(`a ${kind} ${key}`));
      pair.faults.dest.before(kind, ({ key }) => calls.push(`b ${kind} ${key}`));
    }
    await pair.mirror({ transfers: 1 });
    expect(calls).toEqual([...['a read k', 'b head k', 'b put k'], ...['a read l', 'b head l', 'b put l']]);
  });

  test.each([
    ['of what was compared', { k: '1' }, '2'],
    ['of nothing', { l: '1' }, '2'],
  ])('in place %s is not made over what somebody has written', async (_, change, theirs) => {
    await pair.a(change);
    const [key = ''] = Object.keys(change);
    pair.faults.source.before('read', () => pair.dest.put(key, Buffer.from(theirs)));
    const run = await pair.mirror();
    expect(run.failed.list).toMatchObject([{ key, code: 'precondition-failed', class: 'temporary' }]);
    expect((await pair.sides()).b[key]).toBe(theirs);
  });

  test('in parts is compared before it is completed', async () => {
    await pair.source.put('large', Buffer.alloc(3000, 7));
    pair.faults.dest.before('uploadPart', () => pair.dest.put('large', Buffer.from('theirs')));
    const run = await pair.mirror({ partSize: 1000 });
    expect(run.failed.list).toMatchObject([{ key: 'large', code: 'precondition-failed' }]);
    expect((await pair.sides()).b.large).toBe('theirs');
  });

  test('whose answer was lost is found to be made', async () => {
    await pair.a({ k: '1' });
    pair.faults.dest.lose('put', new XsyncError('timeout', 'lost', { class: 'temporary' }), ({ n }) => n === 1);
    await pair.mirror();
    expect((await pair.mirror()).copied.objects).toBe(0);
    expect((await pair.sides()).b.k).toBe('1');
  });
});

test('no store compares what a copy by the service replaces, so it is looked at', async () => {
  const pair = new MirrorPair({ source: { endpoint: 'one' }, dest: { endpoint: 'one' } });
  await pair.a({ k: '0', x: 'x' });
  await pair.mirror();
  expect(routeOf(pair.source, pair.dest, { attempts: 1 }).byService).toBe(true);
  await pair.a({ k: '1' });
  pair.faults.source.before('head', () => pair.dest.put('k', Buffer.from('theirs')));
  const run = await pair.mirror();
  expect(run.failed.list).toMatchObject([{ key: 'k', code: 'precondition-failed' }]);
  expect((await pair.sides()).b.k).toBe('theirs');
});

test('a ticket says whether its condition is firm', () => {
  const pair = new MirrorPair();
  const route = routeOf(pair.source, pair.dest, { attempts: 1 });
  const subject = { key: 'k', sourceKey: 'k', destKey: 'k', etag: 'e', size: 1, mtimeMs: 0, expects: '' };
  expect(planCopy(route, { ...subject, firm: true }).dest).toMatchObject({ expects: '', firm: true });
  expect(planCopy(route, subject).dest.firm).toBeUndefined();
});
