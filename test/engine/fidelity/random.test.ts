/**
 * Random objects between all kinds of stores, through faults and deaths: what arrives equals what left, and whatever does
 * not is reported.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reporter, RunEvent } from '../../../src/engine/events.js';
import type { RunPair } from '../../../src/engine/pair.js';
import { runPair } from '../../../src/engine/run.js';
import { openManifest } from '../../../src/manifest/sqlite/open.js';
import type { AttributeName, Fidelity } from '../../../src/model/attributes.js';
import type { CarryPolicy } from '../../../src/model/carry-policy.js';
import { XsyncError } from '../../../src/model/error.js';
import { FaultyStore } from '../../support/faults.js';
import { runAndDie } from '../crash.js';
import { OPTIONS, side } from '../support.js';
import { KINDS, type Kind, Places, type Where } from './places.js';
import { ACLS, holdsLock, holdsTag, look, MODELS, type Model, plant, type Seen } from './trees.js';

type Pair = readonly [from: Kind, to: Kind];

const ALL: CarryPolicy = { metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn' };
const RUNS = Number(process.env.XSYNC_RANDOM_RUNS ?? 4);

const HOW = { numRuns: RUNS };

let places: Places;
beforeAll(async () => {
  places = await Places.start();
});
afterAll(() => places.close());

/** What goes wrong on the way. */
interface Trouble {
  /** A run dies at each of these instants. */
  deaths: number[];
  /** Calls that fail: of which side, which call, and whether the store had done it. */
  faults: { side: 'source' | 'dest'; kind: (typeof CALLS)[number]; n: number; done: boolean }[];
}

const CALLS = [
  'read',
  'head',
  'put',
  'copy',
  'createUpload',
  'uploadPart',
  'completeUpload',
  'getTags',
  'getAcl',
  'putTags',
  'putAcl',
] as const;

const TROUBLE: fc.Arbitrary<Trouble> = fc.record({
  deaths: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 2 }),
  faults: fc.array(
    fc.record({
      side: fc.constantFrom('source' as const, 'dest' as const),
      kind: fc.constantFrom(...CALLS),
      n: fc.integer({ min: 1, max: 12 }),
      done: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
});
const NO_TROUBLE: Trouble = { deaths: [], faults: [] };

interface Copied {
  /** The last that was reported of each key. */
  told: Map<string, Fidelity>;
}

const OPTIONS_HERE = { ...OPTIONS, carry: ALL, partSize: 100 * 1024, transfers: 2 };

/** Copies until all is there. */
async function copyAll(from: Where, to: Where, { deaths, faults }: Trouble): Promise<Copied> {
  const place = ({ store: { identity } }: Where) => {
    const { kind, endpoint, bucket } = identity;
    return { kind, endpoint, bucket, prefix: '' };
  };
  const manifest = openManifest(':memory:', { source: place(from), dest: place(to) });
  const stores = { source: new FaultyStore(from.store), dest: new FaultyStore(to.store) };
  const open: RunPair = {
    source: side(stores.source, '', 'from'),
    dest: side(stores.dest, '', 'to'),
    ...{ manifest, settings: 'x', single: false },
  };
  const told = new Map<string, Fidelity>();
  const listen: Reporter = (event: RunEvent) => {
    if ((event.type === 'copied' || event.type === 'attributes') && event.fidelity) told.set(event.key, event.fidelity);
  };
  const undo = faults.map(({ side, kind, n, done }) => {
    // As many as a call has attempts, so that the object fails.
    const hit = (call: { n: number }) => call.n >= n && call.n < n + 4;
    const error = new XsyncError('server-error', 'busy');
    return done ? stores[side].lose(kind, error, hit) : stores[side].fail(kind, error, hit);
  });
  try {
    for (const instant of deaths) await runAndDie(open, instant, OPTIONS_HERE, listen);
    await runPair(open, OPTIONS_HERE, listen);
    for (const mend of undo) mend();
    const last = await runPair(open, OPTIONS_HERE, listen);
    expect(last.failed.list).toEqual([]);
    expect(manifest.uploads()).toEqual([]);
    return { told };
  } finally {
    manifest.close();
  }
}

const SECOND = 1000;

/** What is wrong with the copy, in words. */
function faultsOf(
  before: Seen,
  after: Seen,
  [from, to]: Pair,
  { locks, acls }: { locks: boolean; acls: boolean },
  told: Fidelity | undefined,
): string[] {
  const faults: string[] = [];
  const lost = new Set<AttributeName>(told?.lost.map(({ attribute }) => attribute));
  const reasons = told?.lost.map(({ reason }) => reason).join('; ') ?? '';
  if (!before.bytes.equals(after.bytes)) faults.push('other bytes');
  for (const name of [
    'contentType',
    'contentEncoding',
    'contentDisposition',
    'contentLanguage',
    'cacheControl',
    'expires',
  ] as const) {
    if (before.headers[name] !== after.headers[name]) faults.push(`${name}: ${after.headers[name]}`);
  }
  const { mtime = String(before.mtimeMs / 1000), ...own } = before.metadata;
  const { mtime: arrived = String(after.mtimeMs / 1000), ...there } = after.metadata;
  if (Math.abs(Number(mtime) - Number(arrived)) * SECOND > 2 && !reasons.includes('the time of the source'))
    faults.push(`time: ${arrived} instead of ${mtime}`);
  for (const [name, value] of Object.entries(own)) {
    if (there[name] === value) continue;
    if (there[name] !== undefined) faults.push(`metadata ${name}: ${there[name]}`);
    else if (!reasons.includes(JSON.stringify(name))) faults.push(`metadata ${name}: lost without a word`);
    else if (value.length < 200 && to === 'memory') faults.push(`metadata ${name}: lost, although it fits`);
  }
  for (const name of Object.keys(there)) if (!(name in own)) faults.push(`metadata ${name}: from nowhere`);
  for (const tag of before.tags) {
    const arrived = after.tags.find(({ key }) => key === tag.key)?.value === tag.value;
    if (arrived) continue;
    if (holdsTag(to, tag)) faults.push(`tag ${tag.key}: lost, although it fits`);
    const named = reasons.includes(JSON.stringify(tag.key)) || to === 'local' || before.tags.length > 5;
    if (!lost.has('tags') || !named) faults.push(`tag ${tag.key}: lost without a word`);
  }
  for (const tag of after.tags)
    if (!before.tags.some(({ key }) => key === tag.key)) faults.push(`tag ${tag.key}: from nowhere`);
  // The run says at its start that a destination has no ACLs.
  if (before.acl !== after.acl && from !== 'local' && to !== 'local') {
    if (acls && ACLS[to].includes(before.acl)) faults.push(`ACL: ${after.acl}, although there is ${before.acl}`);
    if (!lost.has('acl')) faults.push(`ACL: ${after.acl} without a word`);
  }
  if (JSON.stringify(lockOf(before)) !== JSON.stringify(lockOf(after))) {
    if (locks && before.lock && holdsLock(to, before.lock)) faults.push('lock: lost, although it fits');
    if (!lost.has('lock')) faults.push('lock: lost without a word');
  }
  if (before.redirect !== after.redirect) {
    if (to === 's3' || to === 'memory') faults.push('redirect: lost, although it fits');
    if (!lost.has('redirect')) faults.push('redirect: lost without a word');
  }
  return faults.map((fault) => `${before.key}: ${fault}`);
}

function lockOf({ lock }: Seen) {
  return [lock?.mode, lock?.untilMs, lock?.legalHold];
}

/** Which of the two has locks, and whether the owner of the destination owns all its objects. */
interface Buckets {
  source: boolean;
  dest: boolean;
  enforced: boolean;
}

const BUCKETS: fc.Arbitrary<Buckets> = fc.record({
  source: fc.boolean(),
  dest: fc.boolean(),
  enforced: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

async function check(
  [from, to]: Pair,
  models: readonly Model[],
  { source: holds, dest: keeps, enforced }: Buckets,
  trouble: Trouble,
): Promise<void> {
  const source = await places.open(from, { objectLock: holds });
  const dest = await places.open(to, { objectLock: keeps, ownerEnforced: enforced && to === 's3' });
  await plant(source, places.server, models, holds);
  const { told } = await copyAll(source, dest, trouble);
  const faults: string[] = [];
  const able = { locks: keeps || to === 'memory', acls: !(enforced && to === 's3') };
  for (const { key } of models) {
    const [before, after] = [await look(source, places.server, key), await look(dest, places.server, key)];
    faults.push(...faultsOf(before, after, [from, to], able, told.get(key)));
  }
  // A run that died told nobody.
  expect(trouble.deaths.length > 0 ? faults.filter((fault) => !fault.endsWith('without a word')) : faults).toEqual([]);
}

const PAIRS: Pair[] = KINDS.flatMap((from) => KINDS.map((to): Pair => [from, to]));

describe.each(PAIRS)('%s to %s', (...pair) => {
  test('holds or reports every attribute', async () => {
    const property = fc.asyncProperty(MODELS, BUCKETS, (models, buckets) => check(pair, models, buckets, NO_TROUBLE));
    await fc.assert(property, HOW);
  });

  test('holds or reports every attribute, whatever fails on the way and wherever a run dies', async () => {
    const property = fc.asyncProperty(MODELS, BUCKETS, TROUBLE, (models, buckets, trouble) =>
      check(pair, models, buckets, trouble),
    );
    await fc.assert(property, HOW);
  });
});

describe.each([
  ['s3', 'oss'],
  ['oss', 's3'],
  ['s3', 'memory'],
  ['oss', 'memory'],
  ['s3', 'local'],
  ['oss', 'local'],
] as Pair[])('%s to %s and back', (near, far) => {
  test('gives back what went in, as the services return it', async () => {
    const property = fc.asyncProperty(MODELS, async (models) => {
      const locks = { objectLock: true };
      const [first, middle, last] = [
        await places.open(near, locks),
        await places.open(far, locks),
        await places.open(near, locks),
      ];
      await plant(first, places.server, models, true);
      const there = await copyAll(first, middle, NO_TROUBLE);
      const back = await copyAll(middle, last, NO_TROUBLE);
      for (const { key } of models) {
        const lost = new Set([...lostOf(there, key), ...lostOf(back, key)]);
        const [before, after] = [await look(first, places.server, key), await look(last, places.server, key)];
        const packed = [before, after].some(({ served }) => served && 'xsync-packed' in served);
        const what = { packed, noAcl: far === 'local' };
        expect(comparable(after, lost, what), key).toEqual(comparable(before, lost, what));
      }
    });
    await fc.assert(property, HOW);
  });
});

function lostOf({ told }: Copied, key: string): AttributeName[] {
  return told.get(key)?.lost.map(({ attribute }) => attribute) ?? [];
}

/** Without what was lost, the packed form of metadata, and without the source's time, which a copy adds. */
function comparable(seen: Seen, lost: Set<AttributeName>, { packed, noAcl }: { packed: boolean; noAcl: boolean }) {
  const { mtime: _time, ...metadata } = seen.metadata;
  const { mtime: _served, ...raw } = seen.served ?? {};
  return {
    ...{ bytes: seen.bytes, headers: seen.headers },
    ...(!lost.has('metadata') && { metadata, ...(!packed && { raw }) }),
    ...(!lost.has('tags') && { tags: [...seen.tags].sort((a, b) => (a.key < b.key ? -1 : 1)) }),
    ...(!lost.has('acl') && !noAcl && { acl: seen.acl }),
    ...(!lost.has('lock') && { lock: lockOf(seen) }),
    ...(!lost.has('redirect') && { redirect: seen.redirect }),
  };
}
