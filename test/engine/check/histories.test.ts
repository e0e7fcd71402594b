/** check --versions: what is missing, extra, different or in another order, and what a lost manifest leaves to compare. */
import { describe, expect, it } from 'vitest';
import { type CheckOptions, runCheck } from '../../../src/engine/check/check.js';
import type { CheckEvent, CheckSummary } from '../../../src/engine/check/findings.js';
import { runPair } from '../../../src/engine/run.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { VERSION_METADATA } from '../../../src/model/object.js';
import { bytes } from '../../contract/context.js';
import { versionsOf } from '../histories.js';
import { OPTIONS, Pair } from '../support.js';

const VERSIONED = { versioning: 'enabled' } as const;
const CHECK: CheckOptions = {
  ...{ compare: 'default', oneWay: false, checkers: 4, maxMemory: 2 ** 26, versions: true },
  stop: new AbortController().signal,
};

const pairOf = (): Pair => new Pair({ source: VERSIONED, dest: VERSIONED });

/** What differs, each as `verdict key by`, with the events. */
async function check(
  pair: Pair,
  options: Partial<CheckOptions> = {},
  lost = false,
): Promise<CheckSummary & { found: string[] }> {
  const found: string[] = [];
  const hear = (event: CheckEvent): undefined => {
    if (event.type !== 'checked' || event.verdict === 'match') return;
    found.push(
      [event.verdict, event.key, event.deleteMarker ? 'marker' : event.size, event.by].filter(Boolean).join(' '),
    );
  };
  const identity = pair.open().source.store.identity;
  const place = { kind: identity.kind, endpoint: 'x', bucket: 'y', prefix: '' };
  const manifest = lost ? openManifest(IN_MEMORY, { source: place, dest: { ...place, bucket: 'z' } }) : pair.manifest;
  const summary = await runCheck({ ...pair.open(), manifest }, { ...CHECK, ...options }, hear);
  return { ...summary, found };
}

async function carry(pair: Pair): Promise<void> {
  await runPair(pair.open(), { ...OPTIONS, history: { deleteVersions: false } }, () => undefined);
}

async function write(pair: Pair, steps: readonly (readonly [key: string, body: string])[]): Promise<void> {
  for (const [key, body] of steps) {
    if (body === '-') await pair.source.delete([key]);
    else await pair.source.put(key, bytes(body));
  }
}

const SAMPLE = [
  ['a', '1'],
  ['a', '22'],
  ['a', '-'],
  ['a', '333'],
  ['b', '1'],
  ['gone', 'x'],
  ['gone', '-'],
] as const;

async function erase(store: Pair['dest'], key: string, ...numbers: number[]): Promise<void> {
  const versions = (await versionsOf(store)).filter((version) => version.key === key).reverse();
  for (const [index, { versionId }] of versions.entries()) {
    if (numbers.includes(index)) await store.deleteVersion(key, versionId);
  }
}

describe.each([
  ['with the manifest', false],
  ['without the manifest', true],
])('histories compared %s', (_, lost) => {
  it('match after a copy, for the lists alone', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await carry(pair);
    const summary = await check(pair, {}, lost);
    expect(summary.found).toEqual([]);
    expect(summary.match.objects).toBe(7);
    expect(summary.traffic.source.requests).toEqual({ list: 2 });
    expect(summary.traffic.destination.requests).toEqual({ list: 2 });
  });

  it('differ by versions that one side does not have', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await carry(pair);
    await write(pair, [
      ['a', '-'],
      ['b', '4444'],
      ['new', 'x'],
    ]);
    await erase(pair.dest, 'a', 0);
    await pair.dest.put('theirs', bytes('55555'));
    const { found } = await check(pair, {}, lost);
    expect(found).toEqual([
      'missing-on-dst a marker',
      'missing-on-dst a 1',
      'missing-on-dst b 4',
      'missing-on-dst new 1',
      'missing-on-src theirs 5',
    ]);
    expect((await check(pair, { oneWay: true }, lost)).found).toEqual(found.slice(0, 4));
  });

  it('differ by a delete marker', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await carry(pair);
    await pair.dest.delete(['b']);
    await erase(pair.dest, 'gone', 1);
    expect((await check(pair, {}, lost)).found).toEqual(['missing-on-src b marker', 'missing-on-dst gone marker']);
  });

  it('differ by their order', async () => {
    const pair = pairOf();
    for (const body of ['1', '22', '333']) await pair.source.put('a', bytes(body));
    for (const version of (await versionsOf(pair.source)).reverse()) {
      const { versionId, size } = version;
      const order = { 1: '22', 2: '1', 3: '333' }[size] ?? '';
      const other = (await versionsOf(pair.source)).find((one) => one.size === order.length);
      const { versionId: dest = '' } = await pair.dest.put('a', bytes(order), {
        metadata: { [VERSION_METADATA]: other?.versionId ?? versionId },
      });
      pair.manifest.putVersion({ key: 'a', source: other?.versionId ?? '', dest, atMs: 0 });
    }
    expect((await check(pair, {}, lost)).found).toEqual(['differ a 2 order']);
  });

  it('are filtered by name', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const { createFilter } = await import('../../../src/engine/filter/filter.js');
    const filter = createFilter({ exclude: ['a'], ignoreCase: false });
    const summary = await check(pair, { filter }, lost);
    expect(summary.found).toEqual(['missing-on-dst b 1', 'missing-on-dst gone marker', 'missing-on-dst gone 1']);
    expect(summary.skipped.byReason).toEqual({ filtered: 4 });
  });
});

describe('the bytes of versions', () => {
  it('are compared with --download, each pinned to its version', async () => {
    const pair = pairOf();
    await write(pair, [
      ['a', 'one'],
      ['a', 'two'],
    ]);
    await carry(pair);
    const read = pair.dest.read.bind(pair.dest);
    pair.dest.read = async (key, target, options) => {
      const info = await read(key, target, options);
      if (target[0] === 'o'.charCodeAt(0)) target[0] = 1;
      return info;
    };
    const { found } = await check(pair, { compare: 'download' });
    expect(found).toEqual(['differ a 3 bytes']);
  });

  it('differ where a checksum or a size tells', async () => {
    const pair = pairOf();
    await write(pair, [
      ['a', 'one'],
      ['b', 'one'],
    ]);
    await pair.dest.put('a', bytes('two'));
    await pair.dest.put('b', bytes('longer'));
    expect((await check(pair)).found.sort()).toEqual(['differ a 3 checksum', 'differ b 3 size']);
  });
});

it('a side that keeps no versions is refused', async () => {
  await expect(check(new Pair({ source: VERSIONED }))).rejects.toThrow('memory:dst keeps no versions');
  await expect(check(new Pair({ dest: VERSIONED }))).rejects.toThrow('memory:src keeps no versions');
  const suspended = new Pair({ source: VERSIONED, dest: { versioning: 'suspended' } });
  expect((await check(suspended)).found).toEqual([]);
});
