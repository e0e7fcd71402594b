/** What a pair claims while objects fail: never a write that has not arrived, whatever no listing has seen. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Settling } from '../../../src/engine/decide/settling.js';
import { statusOf } from '../../../src/engine/record/status.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, Pair } from '../support.js';
import { sync } from '../sync.js';

const NOW = Date.UTC(2026, 0, 2);
const MINUTE = 60_000;

let pair: Pair;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  pair = new Pair({ source: { clock: Date.now } });
  await pair.source.put('other', bytesOf('other', 10));
});

afterEach(() => {
  vi.useRealTimers();
});

const at = (minutes: number) => vi.setSystemTime(NOW + minutes * MINUTE);
const put = (key: string, body: string) => pair.source.put(key, bytesOf(body, 10));
/** Minutes. */
const until = (): number => ((statusOf(pair.manifest, Date.now()).synchronised?.untilMs ?? Number.NaN) - NOW) / MINUTE;
const refuse = (...bad: string[]) =>
  pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'), ({ key }) => bad.includes(key ?? ''));

/** Written at minute 12 and again at minute 14, between two passes. */
async function writeTwice(key: string): Promise<void> {
  at(12);
  await put(key, 'unseen');
  at(14);
  await put(key, 'listed');
}

test.each(['known', 'new'])('an object (%s) that is written twice between two passes, and then fails', async (key) => {
  if (key === 'known') await put(key, 'first');
  at(10);
  await pair.copy();
  await writeTwice(key);
  const mend = refuse(key);
  at(20);
  await pair.copy();
  expect(until()).toBe(10);
  // Later passes, held back or tried again in vain, learn nothing of the first write.
  at(30);
  await sync(pair);
  expect(until()).toBe(10);
  at(35);
  await put(key, 'again');
  at(40);
  await pair.copy({ only: [key] });
  await pair.copy();
  expect(until()).toBe(10);
  mend();
  at(50);
  await pair.copy({ only: [key] });
  expect(until()).toBe(40);
});

test('one that failed in an event, which its source did not answer for', async () => {
  await put('known', 'first');
  at(10);
  await pair.copy();
  await writeTwice('known');
  const mend = pair.faults.source.fail('head', new XsyncError('access-denied', 'no'));
  at(15);
  await pair.copy({ only: ['known'] });
  mend();
  refuse('known');
  at(20);
  await pair.copy();
  expect(until()).toBe(10);
});

test('several: each counts from the pass before its first failure', async () => {
  at(10);
  await pair.copy();
  await writeTwice('early');
  const mend = refuse('early', 'late');
  at(20);
  await pair.copy();
  at(22);
  await put('late', 'unseen');
  at(24);
  await put('late', 'listed');
  at(30);
  await pair.copy();
  expect(until()).toBe(10);
  expect(statusOf(pair.manifest, Date.now())).toMatchObject({
    synchronised: { withoutFailedMs: NOW + 30 * MINUTE, behind: 2 },
    failed: { oldest: [{ key: 'early' }, { key: 'late' }] },
  });
  mend();
  refuse('late');
  at(40);
  await pair.copy();
  expect(until()).toBe(20);
});

test('an old version that has arrived, and fails to be copied again, counts from its own time', async () => {
  await put('archived', 'old');
  at(10);
  await pair.copy();
  await pair.dest.delete(['archived']);
  pair.manifest.forget(['archived']);
  refuse('archived');
  at(20);
  await pair.copy();
  expect(until()).toBe(0);
});

test('in the first pass: what had been overwritten before it is nobody’s concern', async () => {
  at(5);
  await put('bad', 'listed');
  refuse('bad');
  at(10);
  await pair.copy();
  expect(until()).toBe(5);
});

test('in the first pass, written while it ran: no time is known before it arrives', async () => {
  const mend = refuse('written');
  at(10);
  const done = pair.faults.source.before('list', async () => {
    at(11);
    await put('written', 'listed');
  });
  await pair.copy();
  done();
  expect(statusOf(pair.manifest, Date.now()).synchronised).toMatchObject({ untilMs: 0, behind: 1 });
  mend();
  at(20);
  await pair.copy();
  expect(until()).toBe(20);
});

test('in a folder that could not be listed by the pass before', async () => {
  at(10);
  await pair.copy();
  await put('d/k', 'unseen');
  const mend = pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries.filter(({ key }) => !key.startsWith('d/')),
    unlisted: [{ prefix: 'd/', error: new XsyncError('access-denied', 'no') }],
  }));
  at(20);
  await pair.copy();
  expect(until()).toBe(10);
  mend();
  at(25);
  await put('d/k', 'listed');
  refuse('d/k');
  at(30);
  await pair.copy();
  expect(until()).toBe(10);
});

test('a folder that the first pass cannot list leaves no time that is known', async () => {
  await put('d/k', 'unseen');
  pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries.filter(({ key }) => !key.startsWith('d/')),
    unlisted: [{ prefix: 'd/', error: new XsyncError('access-denied', 'no') }],
  }));
  at(10);
  await pair.copy();
  expect(statusOf(pair.manifest, Date.now()).synchronised?.untilMs).toBe(0);
});

test('one that is left to settle, as one that fails', async () => {
  await put('busy', 'first');
  at(10);
  const settling = new Settling(5 * MINUTE);
  await pair.copy({ settling });
  await writeTwice('busy');
  at(15);
  await pair.copy({ settling });
  expect(until()).toBe(10);
  at(30);
  await pair.copy({ settling });
  expect(until()).toBe(30);
});
