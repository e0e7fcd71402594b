import { describe, expect, test } from 'vitest';
import type { Tags } from '../../../src/model/attributes.js';
import type { CarryPolicy } from '../../../src/model/carry-policy.js';
import { XsyncError } from '../../../src/model/error.js';
import { MEMORY_ATTRIBUTES } from '../../../src/store/attributes/limits.js';
import type { AttributeLimits } from '../../../src/store/port.js';
import { copyAndDie } from '../crash.js';
import { bytesOf, Pair } from '../support.js';

const KiB = 1024;
const TAGS: Tags = [{ key: 'a', value: '1' }];
const ALL: CarryPolicy = { metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn' };
const without = (name: keyof AttributeLimits): Partial<AttributeLimits> => ({
  ...MEMORY_ATTRIBUTES,
  [name]: undefined,
});

const apart = (dest: Partial<AttributeLimits> = MEMORY_ATTRIBUTES) =>
  new Pair({ dest: { capabilities: { attributes: dest } } });
const refused = (attribute: 'acl' | 'tags') =>
  new XsyncError('attribute-refused', 'the bucket does not allow it', { attribute });

describe('requests', () => {
  test('are paid for tags only of objects that have some, and for each ACL', async () => {
    const pair = apart();
    await pair.source.put('tagged', bytesOf('tagged', 10), { tags: TAGS });
    await pair.source.put('plain', bytesOf('plain', 10));
    const { traffic } = await pair.copy({ carry: { ...ALL, acl: undefined } });
    expect(traffic.source.requests).toEqual({ list: 1, read: 2, getTags: 1 });
    expect(traffic.destination.requests).toEqual({ list: 1, put: 2 });
    expect(await pair.dest.getTags('tagged')).toEqual(TAGS);
    await pair.source.put('open', bytesOf('open', 10), { acl: 'public-read' });
    expect((await pair.copy({ carry: ALL })).traffic.source.requests).toEqual({ list: 1, read: 1, getAcl: 1 });
    expect(await pair.dest.getAcl('open')).toBe('public-read');
  });

  test('are none for what nobody asked for, and the loss is told', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS, acl: 'public-read', metadata: { m: '1' } });
    const { traffic, fidelity } = await pair.copy();
    expect(traffic.source.requests).toEqual({ list: 1, read: 1 });
    const reason = 'not requested; --tags copies them';
    expect(fidelity).toEqual({
      reasons: [{ became: 'lost', attribute: 'tags', reason, objects: 1 }],
      ...{ kept: { metadata: 1 }, mapped: {}, lost: { tags: 1 }, objects: 1 },
      list: [{ key: 'a', lost: [{ attribute: 'tags', reason: 'not requested; --tags copies them' }] }],
    });
  });

  test('are none for tags that a copy by the service takes along', async () => {
    const pair = new Pair({ source: { endpoint: 'x' }, dest: { endpoint: 'x' } });
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS });
    const { traffic, fidelity } = await pair.copy({ carry: { ...ALL, acl: undefined } });
    expect(traffic.source.requests).toEqual({ list: 1, head: 1 });
    expect(fidelity?.kept).toEqual({ tags: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
  });

  test('are priced by a dry run, as if every object had tags', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10));
    expect((await pair.copy({ carry: ALL, dryRun: true })).planned?.source).toEqual({ read: 1, getTags: 1, getAcl: 1 });
    expect((await pair.copy({ dryRun: true })).planned?.source).toEqual({ read: 1 });
  });

  const afterwards = { hold: 'request', modes: ['COMPLIANCE'] } as const;
  const limits: AttributeLimits = MEMORY_ATTRIBUTES;
  const inPuts = { hold: 'write', modes: ['COMPLIANCE'], onlyInPuts: true } as const;
  test.each<[string, AttributeLimits, number, Record<string, number>]>([
    ['locks, not by a write that sets all of them', { ...MEMORY_ATTRIBUTES }, 10, { put: 1 }],
    ['legal holds where they take a request', { ...MEMORY_ATTRIBUTES, lock: afterwards }, 10, { put: 1, putLock: 1 }],
    ['no locks where there are none', { ...MEMORY_ATTRIBUTES, lock: undefined }, 10, { put: 1 }],
    ['locks of a put that sets them', { ...MEMORY_ATTRIBUTES, lock: inPuts }, 10, { put: 1 }],
    [
      'locks, tags and ACLs that an upload in parts cannot set',
      {
        lock: inPuts,
        tags: limits.tags && { ...limits.tags, onlyInPuts: true },
        acl: limits.acl && { ...limits.acl, notInUploads: true },
      },
      300 * KiB,
      { createUpload: 1, uploadPart: 3, completeUpload: 1, putLock: 2, putTags: 1, putAcl: 1 },
    ],
    ['tags that no header sets', { tags: limits.tags && { ...limits.tags, maxHeader: 0 } }, 10, { put: 1, putTags: 1 }],
  ])('are priced at the destination: %s', async (_, keeps, size, expected) => {
    const pair = apart(keeps);
    const lock = { mode: 'COMPLIANCE', untilMs: Date.UTC(2099, 0, 1), legalHold: true } as const;
    await pair.source.put('a', bytesOf('a', size), { tags: TAGS, acl: 'public-read', lock });
    const options = { carry: ALL, partSize: 100 * KiB };
    expect((await pair.copy({ ...options, dryRun: true })).planned?.destination).toEqual(expected);
    expect((await pair.copy(options)).traffic.destination.requests).toEqual({ ...expected, list: 1 });
  });
});

describe('an object in parts', () => {
  test('has its tags, ACL and lock', async () => {
    const pair = apart();
    const lock = { legalHold: true } as const;
    await pair.source.put('a', bytesOf('a', 300 * KiB), { tags: TAGS, acl: 'public-read', lock });
    expect((await pair.copy({ carry: ALL, partSize: 100 * KiB })).fidelity?.kept).toEqual({ tags: 1, acl: 1, lock: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
    expect(await pair.dest.getAcl('a')).toBe('public-read');
    expect((await pair.dest.head('a')).lock).toEqual(lock);
  });

  test('gets its ACL afterwards where an upload cannot be started with one', async () => {
    const acl = { canned: ['private', 'public-read'], usual: 'private', notInUploads: true } as const;
    const pair = apart({ ...MEMORY_ATTRIBUTES, acl });
    await pair.source.put('a', bytesOf('a', 300 * KiB), { acl: 'public-read' });
    const { traffic } = await pair.copy({ carry: ALL, partSize: 100 * KiB });
    expect(traffic.destination.requests).toMatchObject({ createUpload: 1, putAcl: 1 });
    expect(await pair.dest.getAcl('a')).toBe('public-read');
  });
});

describe('at a store that takes tags and locks with single requests only', () => {
  const { tags, lock: locks } = MEMORY_ATTRIBUTES;
  const attributes = {
    ...MEMORY_ATTRIBUTES,
    tags: tags && ({ ...tags, onlyInPuts: true } as const),
    lock: locks && ({ ...locks, onlyInPuts: true } as const),
  };
  const lock = { mode: 'GOVERNANCE', untilMs: Date.UTC(2099, 0, 1), legalHold: true } as const;

  test.each([
    ['in parts', { dest: { capabilities: { attributes } } }, 300 * KiB],
    ['by the service', { source: { endpoint: 'x' }, dest: { endpoint: 'x', capabilities: { attributes } } }, 10],
  ])('a copy %s gets its lock afterwards', async (_how, stores, size) => {
    const pair = new Pair(stores);
    await pair.source.put('a', bytesOf('a', size), { lock });
    const { traffic, fidelity } = await pair.copy({ carry: ALL, partSize: 100 * KiB });
    expect([traffic.destination.requests.putLock, fidelity?.kept]).toEqual([2, { acl: 1, lock: 1 }]);
    expect((await pair.dest.head('a')).lock).toEqual(lock);
  });

  test('an object in parts gets its tags afterwards', async () => {
    const pair = apart(attributes);
    await pair.source.put('a', bytesOf('a', 300 * KiB), { tags: TAGS });
    const { traffic } = await pair.copy({ carry: ALL, partSize: 100 * KiB });
    expect(traffic.destination.requests).toMatchObject({ createUpload: 1, putTags: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
  });

  test('so does a copy by the service', async () => {
    const side = { endpoint: 'x', capabilities: { attributes } };
    const pair = new Pair({ source: side, dest: side });
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS });
    const { traffic, fidelity } = await pair.copy({ carry: { ...ALL, acl: undefined } });
    expect(traffic.source.requests).toEqual({ list: 1, head: 1, getTags: 1 });
    expect(traffic.destination.requests).toEqual({ list: 1, copy: 1, putTags: 1 });
    expect(fidelity?.kept).toEqual({ tags: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
  });
});

describe('what the destination refuses', () => {
  test('is left out and told, and not tried with the next object', async () => {
    const pair = apart();
    for (const key of ['a', 'b']) await pair.source.put(key, bytesOf(key, 10), { tags: TAGS, acl: 'public-read' });
    pair.faults.dest.fail('put', refused('acl'), ({ n }) => n === 1);
    const { copied, traffic, fidelity } = await pair.copy({ carry: ALL, transfers: 1 });
    expect(copied.objects).toBe(2);
    expect(traffic.destination.requests.put).toBe(3);
    expect(fidelity).toMatchObject({ kept: { tags: 2 }, lost: { acl: 2 }, objects: 2 });
    expect(fidelity?.list[0]?.lost).toEqual([{ attribute: 'acl', reason: 'refused: the bucket does not allow it' }]);
    expect(await pair.dest.getTags('b')).toEqual(TAGS);
  });

  test('is found out where access is denied without a reason', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS, acl: 'public-read' });
    const denied = new XsyncError('access-denied', 'Access Denied', { status: 403, serviceCode: 'AccessDenied' });
    // Without the ACL first, then without the tags.
    pair.faults.dest.fail('put', denied, ({ n }) => n <= 2);
    expect((await pair.copy({ carry: ALL })).fidelity).toMatchObject({ kept: { acl: 1 }, lost: { tags: 1 } });
    expect(await pair.dest.getAcl('a')).toBe('public-read');
  });

  test('is left out also where it is two of them', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS, acl: 'public-read', lock: { legalHold: true } });
    pair.faults.dest.fail('put', refused('acl'), ({ n }) => n === 1);
    pair.faults.dest.fail('put', refused('tags'), ({ n }) => n === 2);
    const { copied, fidelity } = await pair.copy({ carry: ALL });
    expect(copied.objects).toBe(1);
    expect(fidelity).toMatchObject({ kept: { lock: 1 }, lost: { acl: 1, tags: 1 } });
  });

  test('after the bytes is told, and tried with no other object', async () => {
    const acl = { canned: ['private', 'public-read'], usual: 'private', notInUploads: true } as const;
    const pair = apart({ ...MEMORY_ATTRIBUTES, acl });
    for (const key of ['a', 'b']) await pair.source.put(key, bytesOf(key, 300 * KiB), { acl: 'public-read' });
    pair.faults.dest.fail('putAcl', refused('acl'));
    const { copied, traffic, fidelity } = await pair.copy({ carry: ALL, partSize: 100 * KiB, transfers: 1 });
    expect([copied.objects, traffic.destination.requests.putAcl]).toEqual([2, 1]);
    expect(fidelity).toMatchObject({ kept: {}, lost: { acl: 2 } });
    expect(fidelity?.list[0]?.lost[0]?.reason).toBe('refused: the bucket does not allow it');
  });

  test('after the bytes fails the object if nothing may be lost', async () => {
    const acl = { canned: ['private', 'public-read'], usual: 'private', notInUploads: true } as const;
    const pair = apart({ ...MEMORY_ATTRIBUTES, acl });
    await pair.source.put('a', bytesOf('a', 300 * KiB), { acl: 'public-read' });
    pair.faults.dest.fail('putAcl', refused('acl'));
    const run = await pair.copy({ carry: { ...ALL, fidelity: 'strict' }, partSize: 100 * KiB });
    expect(run.failed.list[0]?.message).toBe(
      'copied, but it lost attributes: acl: refused: the bucket does not allow it',
    );
  });

  test('of a refresh is told as well', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10));
    await pair.copy({ carry: ALL });
    await pair.source.putAcl('a', 'public-read');
    pair.faults.dest.fail('putAcl', refused('acl'));
    const { failed, fidelity } = await pair.copy({ carry: ALL, compareAttributes: true });
    expect([failed.objects, fidelity]).toMatchObject([0, { lost: { acl: 1 } }]);
  });

  test('fails the object if nothing may be lost, and nothing is written', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10), { acl: 'public-read' });
    pair.faults.dest.fail('put', refused('acl'));
    const run = await pair.copy({ carry: { ...ALL, fidelity: 'strict' } });
    expect(run.failed.list).toMatchObject([{ key: 'a', code: 'attributes-lost', class: 'permanent' }]);
  });
});

describe('an attempt that ended between the bytes and the attributes', () => {
  const acl = { canned: ['private', 'public-read'], usual: 'private', notInUploads: true } as const;
  const parts = { carry: ALL, partSize: 100 * KiB };

  test('because a request failed, is finished by the next run without the bytes, and what it lost is told', async () => {
    const lock = { modes: ['COMPLIANCE' as const], hold: 'request' as const };
    const pair = apart({ ...MEMORY_ATTRIBUTES, tags: undefined, lock });
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS, lock: { legalHold: true } });
    const mend = pair.faults.dest.fail('putLock', new XsyncError('server-error', 'busy'));
    expect((await pair.copy({ carry: ALL })).failed.objects).toBe(1);
    mend();
    const { refreshed, copied, traffic, fidelity } = await pair.copy({ carry: ALL });
    expect([refreshed, copied.objects]).toEqual([1, 0]);
    expect(traffic.destination.requests).toMatchObject({ putLock: 1 });
    expect(fidelity).toMatchObject({ kept: { lock: 1 }, lost: { tags: 1 } });
    expect((await pair.dest.head('a')).lock).toEqual({ legalHold: true });
  });

  test('because the process died, is finished by the next run', async () => {
    for (let instant = 0; ; instant++) {
      const pair = apart({ ...MEMORY_ATTRIBUTES, acl });
      const about = { acl: 'public-read', tags: TAGS, metadata: { m: '1' } };
      await pair.source.put('a', bytesOf('a', 300 * KiB), about);
      const died = await copyAndDie(pair, instant, parts);
      await pair.copy(parts);
      const there = [await pair.dest.getAcl('a'), await pair.dest.getTags('a'), (await pair.dest.head('a')).metadata.m];
      expect(there, `dead at ${instant}`).toEqual(['public-read', TAGS, '1']);
      if (!died) return;
    }
  });

  test('whose upload goes on later has the attributes that the source has then', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 300 * KiB), { metadata: { m: '1' } });
    pair.faults.dest.fail('uploadPart', new XsyncError('access-denied', 'no'), ({ n }) => n === 3);
    await pair.copy({ ...parts, partConcurrency: 1 });
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' }, tags: TAGS });
    const { resumed, traffic } = await pair.copy(parts);
    expect(resumed.parts).toBe(2);
    expect(traffic.destination.requests).toMatchObject({ completeUpload: 1, head: 1, copy: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
    expect((await pair.dest.head('a')).metadata.m).toBe('2');
  });
});

describe('--fidelity', () => {
  test('strict fails what would lose something, before a byte is written, and copies the rest', async () => {
    const pair = apart(without('tags'));
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS });
    await pair.source.put('b', bytesOf('b', 10));
    const run = await pair.copy({ carry: { ...ALL, fidelity: 'strict' } });
    expect(run.copied.objects).toBe(1);
    expect(run.failed.list).toMatchObject([
      {
        ...{ key: 'a', code: 'attributes-lost' },
        message: 'not copied, because it would lose attributes: tags: the destination keeps none',
        remedy: 'Copy it with --fidelity warn, or change the object.',
      },
    ]);
    expect(run.traffic.destination.requests.put).toBe(1);
  });

  test('ignore copies it and says nothing', async () => {
    const pair = apart(without('tags'));
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS });
    const run = await pair.copy({ carry: { ...ALL, fidelity: 'ignore' } });
    expect([run.copied.objects, run.fidelity]).toEqual([1, undefined]);
  });

  test('warn says once that the destination has no ACLs, which are not asked for', async () => {
    const pair = apart(without('acl'));
    await pair.source.put('a', bytesOf('a', 10), { acl: 'public-read' });
    const { events, traffic } = await pair.copy({ carry: ALL });
    expect(events).toContainEqual({
      ...{ type: 'notice', level: 'warn' },
      message: '--acl: memory:dst has no ACLs, so none are copied',
    });
    expect(traffic.source.requests.getAcl).toBeUndefined();
  });

  test('names what could not be read', async () => {
    const pair = apart();
    await pair.source.put('a', bytesOf('a', 10), { tags: TAGS });
    pair.faults.source.fail('getTags', new XsyncError('access-denied', 'a: Access Denied'));
    const { fidelity } = await pair.copy({ carry: ALL });
    expect(fidelity?.list).toEqual([
      { key: 'a', lost: [{ attribute: 'tags', reason: 'not readable: a: Access Denied' }] },
    ]);
  });
});
