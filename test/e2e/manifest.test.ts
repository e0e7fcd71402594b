/** `xsync manifest` from end to end. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bucket, Lab, type Outcome } from './harness.js';

let lab: Lab;
let source: Bucket;
let dest: Bucket;

const OBJECTS = 20;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(async () => {
  lab.reset();
  source = lab.east.bucket();
  dest = lab.shanghai.bucket();
  for (let i = 0; i < OBJECTS; i++) source.put(`k${i}`, `content ${i}`);
  await lab.copy(source.at(), dest.at());
  lab.reset();
});
afterAll(() => lab.close());

function manifest(command: string, ...options: string[]): Promise<Outcome> {
  return lab.run(['manifest', command, source.at(), dest.at(), ...options]);
}

async function infoOf(): Promise<{ file: string; rows: number }> {
  return JSON.parse((await manifest('info', '--json')).stdout);
}

/** Nothing but listings and HEADs. */
function expectNothingMoved(): void {
  for (const bucket of [source, dest]) {
    const kinds = Object.keys(bucket.counts()).filter((kind) => kind !== 'ListObjects' && kind !== 'HeadObject');
    expect(kinds).toEqual([]);
  }
}

describe('info', () => {
  test('says what is in a manifest, without a word to any store', async () => {
    const outcome = await manifest('info');
    expect(outcome.stdout).toMatch(/^Objects +20$/m);
    expect(outcome.stdout).toMatch(/^Last run +copy, complete, ended 20/m);
    expect(outcome.stdout).toMatch(/^Synchronized +up to 20/m);
    expect([source.counts(), dest.counts()]).toEqual([{}, {}]);
    const { file } = await infoOf();
    const named = await lab.run(['manifest', 'info', '--manifest', file, '--json']);
    expect(JSON.parse(named.stdout)).toMatchObject({ file, rows: OBJECTS, uploads: 0, failed: 0, format: 7 });
  });

  test('without paths lists every manifest, also one that is damaged', async () => {
    const { file } = await infoOf();
    expect((await lab.run(['manifest', 'info'])).stdout).toContain(file);
    writeFileSync(file, 'not a database, '.repeat(300));
    const outcome = await lab.run(['manifest', 'info']);
    expect(outcome.stdout).toMatch(new RegExp(`^damaged .*${file}$`, 'm'));
    expect(outcome.code).toBe(1);
    await manifest('rebuild');
  });
});

describe('verify', () => {
  test('agrees after a copy, and finds what was changed at either side since', async () => {
    const good = await manifest('verify');
    expect(good.stdout).toMatch(/^Rows +20, of which 20 match both listings$/m);
    expect(good.code).toBe(0);
    source.put('k1', 'changed');
    dest.remote.store.delete(dest.name, 'k2');
    const bad = await manifest('verify', '--json');
    expect(JSON.parse(bad.stdout)).toMatchObject({
      damage: [],
      rows: OBJECTS,
      agreeing: OBJECTS - 2,
      source: { changed: 1, gone: 0 },
      destination: { changed: 0, gone: 1 },
    });
    expect(bad.code).toBe(1);
    expectNothingMoved();
  });

  test('of a pair without a manifest says so, and makes none', async () => {
    const outcome = await lab.run(['manifest', 'verify', dest.at(), source.at()]);
    expect(outcome.stderr).toMatch(/there is no manifest of .*rebuild/);
    expect(outcome.code).toBe(3);
  });
});

describe('rebuild', () => {
  test('mends what copy and sync refuse, and nothing is copied again', async () => {
    const { file } = await infoOf();
    const damaged = 'not a database, '.repeat(300);
    writeFileSync(file, damaged);
    for (const command of ['copy', 'sync', 'check']) {
      const outcome = await lab.run([command, source.at(), dest.at()]);
      expect(outcome.stderr, command).toMatch(/damaged .*xsync manifest rebuild/);
      expect(outcome.code).toBe(7);
    }
    lab.reset();
    const outcome = await manifest('rebuild');
    expect(outcome.stdout).toMatch(/^Adopted +20 objects, .*: by checksum 20$/m);
    expect(outcome.code).toBe(0);
    expectNothingMoved();
    const aside = /^Old file +kept as (.*)$/m.exec(outcome.stdout)?.[1] ?? '';
    expect(readFileSync(aside, 'utf8'), 'the old file keeps its bytes').toBe(damaged);

    lab.reset();
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
  });

  test('of a lost manifest adopts by size and time what shares no checksum, and leaves the rest to the next run', async () => {
    const folder = lab.path();
    await lab.copy(source.at(), folder);
    source.put('k3', 'another');
    source.put('new', 'new');
    const { file } = JSON.parse((await lab.run(['manifest', 'info', source.at(), folder, '--json'])).stdout);
    renameSync(file, `${file}.lost`);
    const outcome = await lab.run(['manifest', 'rebuild', source.at(), folder, '--json']);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      adopted: { objects: OBJECTS - 1, by: { 'same-time': OBJECTS - 1 } },
      different: 1,
      onlySource: 1,
      onlyDestination: 0,
    });
    expect((await lab.copy(source.at(), folder)).events.filter(({ event }) => event === 'copied')).toHaveLength(2);
  });

  test('takes nothing for its own that it did not copy, unless it is told to', async () => {
    await manifest('rebuild');
    source.remote.store.delete(source.name, 'k5');
    await lab.run(['sync', source.at(), dest.at()]);
    expect(dest.keys()).toContain('k5');

    dest.remote.store.delete(dest.name, 'k5');
    await manifest('rebuild', '--claim');
    source.remote.store.delete(source.name, 'k6');
    await lab.run(['sync', source.at(), dest.at()]);
    expect(dest.keys()).not.toContain('k6');
  });

  test('that fails leaves the old manifest in its place', async () => {
    const before = readFileSync((await infoOf()).file);
    const folder = join(lab.directory, 'state/xsync');
    const names = readdirSync(folder);
    dest.fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'ListObjects' });
    expect((await manifest('rebuild')).code).toBe(7);
    expect(readFileSync((await infoOf()).file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(names);
  });

  test("never puts another pair's manifest aside", async () => {
    const { file } = await infoOf();
    const outcome = await lab.run(['manifest', 'rebuild', dest.at(), source.at(), '--manifest', file]);
    expect(outcome.stderr).toMatch(/belongs to/);
    expect(outcome.code).toBe(7);
    expect((await infoOf()).rows).toBe(OBJECTS);
  });
});

describe('export', () => {
  test('gives every row as a line of JSON', async () => {
    const rows = (await manifest('export')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(OBJECTS);
    expect(rows[0]).toMatchObject({ key: 'k0', size: 9, verifiedBy: 'md5', ours: true });
  });

  test('gives every row as CSV that a spreadsheet reads back, whatever the key is', async () => {
    source.put('a "b", c\nd', 'x');
    await lab.copy(source.at(), dest.at());
    const file = lab.path('rows.csv');
    const outcome = await manifest('export', '--format', 'csv', '-o', file);
    expect(outcome.stdout).toBe('');
    const text = readFileSync(file, 'utf8');
    expect(text.startsWith('key,size,sourceEtag,sourceMtimeMs,destEtag,verifiedBy,ours,atMs\r\n')).toBe(true);
    expect(text).toContain('\r\n"a ""b"", c\nd",1,');
    expect(text.split('\r\n')).toHaveLength(OBJECTS + 3);
  });
});
