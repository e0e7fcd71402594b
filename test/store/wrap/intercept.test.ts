import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/store/memory/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { dryRun } from '../../../src/store/wrap/dry-run.js';
import { InterceptedStore, unwrap } from '../../../src/store/wrap/intercept.js';
import { meter } from '../../../src/store/wrap/meter.js';
import { retry } from '../../../src/store/wrap/retry.js';
import { RateLimits, throttle } from '../../../src/store/wrap/throttle.js';
import { EVERY_CALL, EVERY_KIND } from './every-call.js';
import { scripted } from './fakes.js';

/** The wrappers as a run stacks them. */
const stacked = (store: ObjectStore) =>
  retry(throttle(meter(store), new RateLimits({ requestsPerSecond: 1_000_000, up: () => undefined })), { attempts: 1 });

/** A store that answers every call with its name and arguments, but for the functions, which wrappers replace. */
function echo(): ObjectStore {
  const withoutHooks = (arg: unknown) => (isObject(arg) ? { ...arg, pace: undefined, onRequest: undefined } : arg);
  const answer =
    (_: object, name: string | symbol) =>
    async (...args: unknown[]) => [name, args.map(withoutHooks)];
  return new Proxy(new MemoryStore(), { get: answer }) as ObjectStore;
}

const isObject = (value: unknown): value is object => Object.prototype.toString.call(value) === '[object Object]';

describe('every wrapper', () => {
  test.each(EVERY_KIND)('%s reaches the store with all it was given, and its answer comes back', async (kind) => {
    const source = new MemoryStore();
    const options = { signal: new AbortController().signal, ifMatch: 'e', metadata: { a: 'b' } };
    const bare = await EVERY_CALL[kind](echo(), source, options);
    const wrapped = await EVERY_CALL[kind](stacked(echo()), stacked(source), options);
    expect(wrapped).toEqual(bare);
  });

  test.each(EVERY_KIND)('%s is known by its own kind, or it would be counted and retried as another', async (kind) => {
    const { store, calls } = scripted([{ error: new Error('far enough') }]);
    await expect(EVERY_CALL[kind](store, store)).rejects.toThrow('far enough');
    expect(calls.map((call) => call.kind)).toEqual([kind]);
  });

  test('a put through all wrappers arrives whole, with its headers', async () => {
    const inner = new MemoryStore();
    await stacked(inner).put('k', Buffer.from('12345'), { headers: { contentType: 'text/x' }, metadata: { a: 'b' } });
    const target = new Uint8Array(5);
    const info = await stacked(inner).read('k', target);
    expect(Buffer.from(target).toString()).toBe('12345');
    expect(info).toMatchObject({ headers: { contentType: 'text/x' }, metadata: { a: 'b' } });
  });

  test('a wrapped store copies from a wrapped one, or server-side copies would become downloads', async () => {
    const [source, dest] = [new MemoryStore({ bucket: 'a' }), new MemoryStore({ bucket: 'b' })];
    await source.put('k', Buffer.from('12345'));
    expect(stacked(dest).copyableFrom(stacked(source))).toBe(dest.copyableFrom(source));
    await stacked(dest).copy(stacked(source), 'k', 'copy');
    expect((await dest.head('copy')).size).toBe(5);
  });

  test('identity, capabilities and close are the inner store’s', async () => {
    const inner = new MemoryStore();
    let closed = 0;
    inner.close = async () => {
      closed++;
    };
    const store = stacked(inner);
    expect(store.identity).toBe(inner.identity);
    expect(store.capabilities).toBe(inner.capabilities);
    expect(unwrap(store)).toBe(inner);
    await store.close();
    expect(closed).toBe(1);
  });
});

describe('meter', () => {
  test('requests count by kind and bytes by way, failed attempts too, or the bill would surprise', async () => {
    const counted = meter(scripted([{ bytes: 3, error: new Error('reset') }]).store);
    await expect(counted.put('k', Buffer.from('12345'))).rejects.toThrow('reset');
    await counted.put('k', Buffer.from('12345'));
    await counted.read('k', new Uint8Array(5));
    await counted.head('k');
    expect(counted.counts()).toEqual({ requests: { put: 2, read: 1, head: 1 }, bytesIn: 5, bytesOut: 8 });
  });

  test("the caller's pace still sees the bytes and still holds the transfer", async () => {
    const counted = meter(new MemoryStore());
    const seen: number[] = [];
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let done = false;
    const pace = (bytes: number) => {
      seen.push(bytes);
      return held;
    };
    const put = counted.put('k', Buffer.from('12345'), { pace }).then(() => {
      done = true;
    });
    await new Promise(setImmediate);
    expect([seen, done]).toEqual([[5], false]);
    release();
    await put;
  });
});

describe('dry run', () => {
  const READS = ['list', 'head', 'read', 'listParts', 'listUploads', 'checkBucket', 'getTags', 'getAcl', 'getLink'];

  test.each(EVERY_KIND)('%s passes only when it cannot change anything', async (kind) => {
    const reached: string[] = [];
    const inner = new InterceptedStore(new MemoryStore(), (call) => {
      reached.push(call.kind);
      return Promise.reject(new Error('reached'));
    });
    const passes = READS.includes(kind);
    const error = await EVERY_CALL[kind](dryRun(inner), inner).catch((thrown: unknown) => thrown);
    expect(reached).toEqual(passes ? [kind] : []);
    expect(error).toMatchObject(passes ? { message: 'reached' } : { code: 'internal' });
  });
});
