/** status, failed, retry and report, on pairs of folders of this machine. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.js';
import { type ListedRun, runTable } from '../../src/cli/render/report-list.js';
import { Screen } from '../../src/cli/render/status.js';
import type { RunDetail } from '../../src/engine/record/journal.js';
import type { Manifest } from '../../src/manifest/port.js';
import { lockPair } from '../../src/manifest/sqlite/lock.js';
import { openManifest, pairOf } from '../../src/manifest/sqlite/open.js';
import { capture, fakeIo, summary } from './fixtures.js';

let home: string;
let source: string;
let dest: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'xsync-pairs-'));
  source = join(home, 'source');
  dest = join(home, 'dest');
  mkdirSync(source);
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

async function xsync(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo({ HOME: home });
  const code = await main(args, io);
  return { code, out: io.stdout.text(), err: io.stderr.text() };
}

const file = (): string => join(home, 'pair.db');

/** A copy of `names` whose manifest is `file()`. */
async function copied(...names: string[]): Promise<void> {
  for (const name of names) writeFileSync(join(source, name), `content of ${name}`);
  expect((await xsync('copy', source, dest, '--manifest', file())).code).toBe(0);
}

function withManifest(change: (manifest: Manifest) => void, manifestFile = file()): void {
  const pair = pairOf(manifestFile);
  if (!pair) throw new Error('no manifest');
  const manifest = openManifest(manifestFile, pair);
  change(manifest);
  manifest.close();
}

/** As if a run had not been able to copy them. */
function fail(key: string, change: Partial<Failed> = {}, manifestFile = file()): void {
  const sourceMtimeMs = Date.now() - 3_600_000;
  const failed: Failed = {
    ...{ key, size: 10, sourceEtag: 'v1', sourceMtimeMs, arrivedMs: sourceMtimeMs, class: 'person' },
    ...{ code: 'access-denied', message: `${key}: AccessDenied`, settings: 's', lastMs: Date.now(), ...change },
  };
  withManifest((manifest) => manifest.fail(failed), manifestFile);
}

type Failed = Parameters<Manifest['fail']>[0];

const NASTY = '<script>alert(1)</script>&"\'\u001b[2J\u202e\u0000\n';

describe('status', () => {
  test('of a machine that knows no pair says so', async () => {
    expect(await xsync('status')).toMatchObject({ code: 0, out: expect.stringContaining('No pair is known') });
  });

  test('of a pair that was never copied says that nothing is known of it', async () => {
    expect(await xsync('status', source, dest)).toMatchObject({
      code: 3,
      err: expect.stringContaining('xsync status'),
    });
    const no = join(home, 'no.db');
    expect(await xsync('status', '--manifest', no)).toMatchObject({ code: 3, err: expect.stringContaining(no) });
    expect((await xsync('status', source)).code).toBe(2);
  });

  test('tells of every pair, of one by its paths, and of one by its manifest, and takes no lock', async () => {
    writeFileSync(join(source, 'a'), 'one');
    await xsync('copy', source, dest);
    await xsync('copy', source, join(home, 'other'));
    const all = (await xsync('status')).out;
    expect(all.match(/100% of 1 object, 3 B/g)).toHaveLength(2);
    const one = await xsync('status', source, dest);
    expect(one.out).toMatch(/History +100% of 1 object/);
    expect(one.out).toMatch(/Synchronized +up to 20\d\d-.* UTC/);
    const manifest = /Manifest +(\S+)/.exec(one.out)?.[1] ?? '';
    const lock = lockPair(manifest, { pid: process.pid, host: 'here', sinceMs: Date.now(), command: 'xsync sync' });
    const working = await xsync('status', '--manifest', manifest);
    expect(working.out).toMatch(/Running +xsync sync \(process \d+ on here\)/);
    lock.release();
    expect((await xsync('status', source, dest)).out).not.toMatch('Running');
  });

  test('one file that is no manifest hides no other pair, in status, failed and report, and is told of', async () => {
    writeFileSync(join(source, 'a'), 'one');
    await xsync('copy', source, dest);
    const manifest = /Manifest +(\S+)/.exec((await xsync('status', source, dest)).out)?.[1] ?? '';
    const bad = join(dirname(manifest), '0.db');
    writeFileSync(bad, 'x\n');
    const told = {
      code: 7,
      err: expect.stringMatching(/0\.db is damaged.*rebuild SOURCE DESTINATION.*--manifest FILE/),
    };
    expect(await xsync('status')).toMatchObject({ ...told, out: expect.stringContaining('100% of 1 object') });
    expect(await xsync('report', '--list')).toMatchObject({ ...told, out: expect.stringContaining(dest) });
    expect(await xsync('report')).toMatchObject({ ...told, out: expect.stringContaining('<html') });
    fail('k', {}, manifest);
    expect(await xsync('failed')).toMatchObject({ ...told, out: expect.stringContaining('access-denied') });
    // Whoever means that one is told of it alone.
    expect(await xsync('status', '--manifest', bad)).toMatchObject({ ...told, out: '' });
  });

  test('finds a single object that was copied, into a folder or under another name', async () => {
    writeFileSync(join(source, 'a'), 'one');
    mkdirSync(dest);
    await xsync('copy', join(source, 'a'), dest);
    await xsync('copyto', join(source, 'a'), join(dest, 'b'));
    expect((await xsync('status', join(source, 'a'), dest)).out).toMatch(/100% of 1 object/);
    expect((await xsync('status', join(source, 'a'), join(dest, 'b'))).out).toMatch(/100% of 1 object/);
  });

  test('names what holds the watermark back, and --rpo makes that an exit code', async () => {
    await copied('a');
    expect((await xsync('status', '--manifest', file(), '--rpo', '10m')).code).toBe(0);
    fail('bad\u001b[2J');
    const late = await xsync('status', '--manifest', file(), '--rpo', '10m');
    expect(late.code).toBe(1);
    expect(late.out.replace(/\s+/g, ' ')).toMatch(/held back by 1 failed object: bad\\x1b\[2J \(access-denied\)/);
    expect(late.out).toMatch(/50m\S* more than the allowed 10m00s/);
    expect((await xsync('status', '--manifest', file(), '--rpo', '2h')).code).toBe(0);
  });

  test('and manifest info claim the same time, of a pair with failed objects too', async () => {
    await copied('a');
    fail('bad');
    const [status, info] = await Promise.all([
      xsync('status', '--manifest', file(), '--json'),
      xsync('manifest', 'info', '--manifest', file(), '--json'),
    ]);
    expect(JSON.parse(info.out).synchronisedMs).toBe(JSON.parse(status.out).synchronised.untilMs);
  });

  test('shows a run that was killed as such, and one that is at work as going on', async () => {
    await copied('a');
    const startedMs = Date.now();
    const detail: RunDetail = { summary: { ...summary, startedMs }, curve: [], sizes: [], slowest: [] };
    withManifest((manifest) => {
      const row = { id: 'dead', command: 'sync', startedMs, endedMs: startedMs + 500, outcome: 'running' } as const;
      manifest.putRun({ ...row, detail: JSON.stringify(detail) });
    });
    expect((await xsync('status', '--manifest', file())).out).toMatch(/Last run +sync dead, .*: killed/);
    const lock = lockPair(file(), { pid: process.pid, host: 'here', sinceMs: startedMs - 1, command: 'xsync sync' });
    expect((await xsync('status', '--manifest', file())).out).toMatch(/Last run +sync dead, .*: running/);
    lock.release();
  });

  test('--json is a line for each pair, with the percentage cut and not rounded', async () => {
    await copied('a');
    const { out } = await xsync('status', '--manifest', file(), '--json', '--rpo', '1h');
    expect(JSON.parse(out)).toMatchObject({
      ...{ source, destination: dest, manifest: file(), rpo: { allowedMs: 3_600_000, met: true } },
      history: { objects: 1, ofObjects: 1, percent: 100, total: true },
      ...{ pending: { objects: 0, bytes: 0 }, failed: { objects: 0 }, known: 1 },
      lastRun: { command: 'copy', outcome: 'complete', copied: { objects: 1 } },
    });
    expect(out.split('\n')).toHaveLength(2);
  });

  test('--watch draws over what it drew, and off a terminal below it', () => {
    const screen = new Screen(true, capture({ columns: 80, rows: 4 }));
    expect(screen.draw('one\ntwo\n')).toBe('one\ntwo\n');
    expect(screen.draw('1\n2\n3\n4\n5\n')).toBe('\u001b[2A\r\u001b[J1\n2\n…\n');
    expect(screen.draw('end\n')).toBe('\u001b[3A\r\u001b[Jend\n');
    const log = new Screen(false, capture());
    expect([log.draw('one\n'), log.draw('two\n')]).toEqual(['one\n', 'two\n']);
  });

  test('--watch goes on until nobody reads, and complains about an interval that is none', async () => {
    await copied('a');
    const io = fakeIo({ HOME: home });
    const run = main(['status', '--manifest', file(), '--watch=100ms'], io);
    while (io.stdout.text().split('History').length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    io.stdout.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    expect(await run).toBe(141);
    expect((await xsync('status', '--watch', source, dest)).err).toContain('--watch');
  });
});

describe('failed', () => {
  test('lists class, code, attempts and the next try, and what fits a class, a code or a pattern', async () => {
    await copied('a');
    fail('locked.txt');
    fail('busy.bin', { class: 'temporary', code: 'network' });
    fail('busy.bin', { class: 'temporary', code: 'network' });
    const { out } = await xsync('failed', '--manifest', file());
    expect(out).toMatch(/person +access-denied +1 +\S+ \S+ +\S+ \S+ +on change +locked.txt\n/);
    expect(out).toMatch(/temporary +network +2 +\S+ \S+ +\S+ \S+ +in \d+\.\ds +busy.bin\n/);
    const keys = async (...args: string[]): Promise<string[]> => {
      const json = (await xsync('failed', '--manifest', file(), '--json', ...args)).out;
      return json.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { key: string }).key]));
    };
    expect(await keys()).toEqual(['busy.bin', 'locked.txt']);
    expect(await keys('--class', 'temporary')).toEqual(['busy.bin']);
    expect(await keys('--code', 'access-denied', '--code', 'network', '--limit', '1')).toEqual(['busy.bin']);
    expect(await keys('--include', '*.txt')).toEqual(['locked.txt']);
    expect((await xsync('failed', '--class', 'some')).code).toBe(2);
  });

  test('--explain says what was said, what to do, and what makes it be tried again', async () => {
    await copied('a');
    fail('locked.txt');
    const list = [
      { ...summary.failed.list[0], key: 'locked.txt', remedy: 'Ask the owner.' },
    ] as RunDetail['summary']['failed']['list'];
    const failed = { ...summary.failed, list };
    const detail: RunDetail = { summary: { ...summary, failed }, curve: [], sizes: [], slowest: [] };
    withManifest((manifest) =>
      manifest.putRun({
        ...{ id: 'r', command: 'sync', startedMs: 1, endedMs: 2, outcome: 'complete', detail: JSON.stringify(detail) },
      }),
    );
    const { out } = await xsync('failed', '--manifest', file(), '--explain');
    expect(out).toContain('access-denied (needs action): AccessDenied');
    expect(out).toContain('→ Ask the owner.');
    expect(out.replace(/\s+/g, ' ')).toContain('when its source changes, or when the remotes');
  });

  test('drop gives up what is meant and nothing else, also beside a run', async () => {
    await copied('a');
    for (const key of ['a.tmp', 'b.tmp', 'c']) fail(key);
    const lock = lockPair(file(), { pid: process.pid, host: 'here', sinceMs: Date.now(), command: 'xsync watch' });
    expect((await xsync('failed', 'drop', '--manifest', file())).code).toBe(2);
    expect((await xsync('failed', 'drop', '--manifest', file(), '*.tmp')).err).toContain('Gave up 2 objects');
    lock.release();
    const dropped = (): string[] => {
      let keys: string[] = [];
      withManifest((manifest) => {
        keys = manifest.failures().flatMap((row) => (row.dropped ? [row.key] : []));
      });
      return keys;
    };
    expect(dropped()).toEqual(['a.tmp', 'b.tmp']);
    expect((await xsync('failed', '--manifest', file())).out).toMatch(/given up +a.tmp/);
    await xsync('failed', 'drop', '--manifest', file(), '--all');
    expect(dropped()).toEqual(['a.tmp', 'b.tmp', 'c']);
  });
});

describe('a pair', () => {
  const pairsThere = async (): Promise<string[]> => {
    const { out } = await xsync('manifest', 'info', '--json');
    return out.split('\n').filter((line) => line !== '');
  };

  test('that a misspelled path would make leaves nothing behind', async () => {
    expect((await xsync('copy', join(home, 'sorce'), dest)).code).toBe(3);
    expect((await xsync('copy', '--dry-run', source, dest)).code).toBe(0);
    expect(await pairsThere()).toEqual([]);
  });

  test('whose run fails later keeps what it knows', async () => {
    writeFileSync(join(source, 'a'), 'a');
    expect((await xsync('copy', source, dest)).code).toBe(0);
    rmSync(source, { recursive: true });
    expect((await xsync('copy', source, dest)).code).toBe(3);
    expect(await pairsThere()).toHaveLength(1);
  });

  test('is forgotten by name only, not while it is in use, and copied again afterwards', async () => {
    writeFileSync(join(source, 'a'), 'a');
    expect((await xsync('copy', source, dest)).code).toBe(0);
    expect(await xsync('manifest', 'forget')).toMatchObject({
      code: 2,
      err: expect.stringContaining('name the pair to forget'),
    });
    const [known = ''] = await pairsThere();
    const { file: manifest } = JSON.parse(known) as { file: string };
    const lock = lockPair(manifest, { pid: 1, host: 'h', sinceMs: 0, command: 'watch' });
    expect((await xsync('manifest', 'forget', source, dest)).code).toBe(5);
    lock.release();
    expect(await xsync('manifest', 'forget', source, dest)).toMatchObject({
      code: 0,
      err: `Forgot ${source} → ${dest} (${manifest})\n`,
    });
    expect(await pairsThere()).toEqual([]);
    expect(readFileSync(join(dest, 'a'), 'utf8')).toBe('a');
    expect((await xsync('manifest', 'forget', source, dest)).code).toBe(3);
  });
});

describe('retry without a pair', () => {
  test('tries the failed objects of every pair of this machine', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(home, name));
      writeFileSync(join(home, name, 'a'), name);
      expect((await xsync('copy', join(home, name), join(dest, name))).code).toBe(0);
      rmSync(join(dest, name, 'a'));
    }
    expect((await xsync('retry')).err).toContain('No failed objects to retry.\n');
    const { out } = await xsync('manifest', 'info', '--json');
    for (const line of out.trimEnd().split('\n')) fail('a', {}, (JSON.parse(line) as { file: string }).file);
    const { code, err } = await xsync('retry');
    expect(code).toBe(0);
    expect(err.match(/Done: /g)).toHaveLength(2);
    expect(readFileSync(join(dest, 'one', 'a'), 'utf8') + readFileSync(join(dest, 'two', 'a'), 'utf8')).toBe('onetwo');
  });
});

describe('retry', () => {
  test('copies what failed, by the manifest alone, and forgets what is gone', async () => {
    await copied('a');
    for (const key of ['late', 'gone', 'given up']) fail(key);
    for (const key of ['late', 'given up']) writeFileSync(join(source, key), 'here now');
    await xsync('failed', 'drop', '--manifest', file(), 'given up');
    const run = await xsync('retry', '--manifest', file());
    expect(run.code).toBe(0);
    expect(readFileSync(join(dest, 'late'), 'utf8')).toBe('here now');
    expect((await xsync('failed', '--manifest', file(), '--json')).out).toMatch(/^\{.*"key":"given up".*\}\n$/);
    // By its name, what was given up is tried too.
    expect((await xsync('retry', '--manifest', file(), 'given*')).code).toBe(0);
    expect((await xsync('failed', '--manifest', file())).err).toContain('Nothing has failed');
  });

  test('refuses two paths and the manifest of another pair, instead of taking the paths for patterns', async () => {
    await copied('a');
    fail('late');
    const other = ['retry', source, join(home, 'other'), '--manifest', file()];
    expect(await xsync(...other)).toMatchObject({ code: 2, err: expect.stringMatching(/is not that of .*leave out/) });
    expect((await xsync('retry', 'a:b', 'c:d', '--manifest', file())).code).toBe(2);
    expect((await xsync('failed', 'drop', ...other.slice(1))).code).toBe(2);
    expect((await xsync('retry', '--manifest', file(), '/late', '/2024/*')).code).toBe(0);
  });

  test('exits with 6 when it fails again, counts the attempt, and tries only what is meant', async () => {
    await copied('a');
    mkdirSync(join(dest, 'x'));
    writeFileSync(join(dest, 'x', 'y'), 'a folder where a file has to be');
    writeFileSync(join(source, 'x'), 'a file');
    writeFileSync(join(source, 'z'), 'another');
    fail('x');
    fail('z', { class: 'temporary', code: 'network' });
    const run = await xsync('retry', source, dest, '--manifest', file(), '--class', 'person', '--json');
    expect(run.code).toBe(6);
    const again = await xsync('retry', '--manifest', file(), 'x');
    expect(again.code).toBe(6);
    withManifest((manifest) => {
      expect(manifest.failure('x')?.attempts).toBe(3);
      expect(manifest.failure('z')?.attempts).toBe(1);
    });
  });

  test('leaves a pair that a run is at work on alone', async () => {
    await copied('a');
    fail('a');
    const lock = lockPair(file(), { pid: process.pid, host: 'here', sinceMs: Date.now(), command: 'xsync sync' });
    expect(await xsync('retry', '--manifest', file())).toMatchObject({
      code: 5,
      err: expect.stringContaining('in use'),
    });
    lock.release();
  });

  test('tries more than a thousand objects in batches, told as one run', async () => {
    await copied('a');
    withManifest((manifest) => {
      for (let n = 0; n < 2100; n++) {
        const row = {
          size: 1,
          sourceEtag: 'v',
          sourceMtimeMs: 1,
          arrivedMs: 1,
          class: 'person',
          code: 'access-denied',
        } as const;
        manifest.fail({ key: `k${n}`, ...row, message: 'no', settings: 's', lastMs: 1 });
        if (n % 300 === 0) writeFileSync(join(source, `k${n}`), 'x');
      }
    });
    const { code, out } = await xsync('retry', '--manifest', file(), '--json');
    const end = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { event: string; copied: { objects: number } };
    expect([code, end.event, end.copied.objects]).toEqual([0, 'end', 7]);
    expect((await xsync('failed', '--manifest', file())).err).toContain('Nothing has failed');
  });
});

describe('report', () => {
  function nasty(): void {
    const failure = {
      key: NASTY,
      size: 1,
      class: 'person',
      code: 'access-denied',
      message: `${NASTY}: no`,
      attempts: 1,
    } as const;
    const detail: RunDetail = {
      summary: {
        ...summary,
        failed: { objects: 150, byClass: { person: 150 }, list: [{ ...failure, remedy: NASTY }] },
      },
      curve: [
        { atMs: 0, bytes: 0, objects: 0 },
        { atMs: 1000, bytes: 5_000_000, objects: 3 },
      ],
      sizes: [
        { upTo: 0, objects: 1, bytes: 0 },
        { upTo: 4096, objects: 2, bytes: 6000 },
      ],
      slowest: [{ key: NASTY, size: 5, elapsedMs: 900 }],
      error: { code: 'internal', message: NASTY },
    };
    withManifest((manifest) => {
      const row = { id: 'nasty', command: NASTY, startedMs: Date.now() + 1000, endedMs: 2, outcome: 'broken' } as const;
      manifest.putRun({ ...row, detail: JSON.stringify(detail) });
    });
  }

  test('no key, message or name becomes markup or reaches the reader as a control character', async () => {
    await copied('a');
    nasty();
    const { out } = await xsync('report', '--manifest', file());
    expect(out).not.toMatch(/<script/i);
    expect(out).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;\\x1b[2J\\u202e\\x00\\n');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there.
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(out.match(/alert\(1\)/g)?.length).toBeGreaterThan(4);
  });

  test('needs nothing but itself: no script, no address, and the page forbids both', async () => {
    await copied('a');
    nasty();
    const { out } = await xsync('report', '--manifest', file());
    expect(out).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(out).not.toMatch(/\b(?:src|href|url|@import)\s*[=(]/i);
    expect(out).not.toMatch(/\son\w+=/i);
    expect(out).toContain('prefers-color-scheme: dark');
    for (const part of [
      'Throughput',
      'Sizes of copied objects',
      'Slowest objects',
      'Need action: 150 objects',
      'And 149 more',
      'Verified by',
      'Requests',
      'Repeated work',
    ]) {
      expect(out).toContain(part);
    }
    expect(out).toContain('<polyline class="line" points="0.0,');
  });

  test('tells what became of attributes, also of a run that was interrupted', async () => {
    await copied('a');
    const lost = [{ attribute: 'tags' as const, reason: '"<b>" is too long' }];
    withManifest((manifest) => {
      const [row] = manifest.runs(1);
      const detail = JSON.parse(row?.detail ?? '');
      const reasons = [{ became: 'lost', attribute: 'tags', reason: 'is too long', objects: 120 }];
      const list = [{ key: 'a<', lost }];
      detail.summary.refreshed = 3;
      detail.summary.fidelity = { kept: { acl: 7 }, mapped: {}, lost: { tags: 120 }, reasons, objects: 120, list };
      if (row) manifest.putRun({ ...row, outcome: 'stopped', detail: JSON.stringify(detail) });
    });
    const { out } = await xsync('report', '--manifest', file());
    const text = out
      .replace(/<style>.*<\/style>/s, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(text).toContain('Attributes Set without the bytes: 3 objects Attribute Kept Mapped Lost tags 120 ACL 7');
    expect(text).toContain('Why Attribute Objects Reason lost tags 120 is too long');
    expect(text).toContain('Lost something: 120 objects Key What a&lt; tags: &quot;&lt;b&gt;&quot; is too long');
    expect(text).toContain('And 119 more');
  });

  test('writes a file that others cannot read; finds a run by its id; lists the runs', async () => {
    await copied('a');
    writeFileSync(join(source, 'b'), 'two');
    await xsync('copy', source, dest, '--manifest', file());
    const page = join(home, 'page.html');
    expect((await xsync('report', '--manifest', file(), '-o', page)).code).toBe(0);
    expect(statSync(page).mode & 0o777).toBe(0o600);
    const list = (await xsync('report', '--list', '--manifest', file())).out.trim().split('\n');
    expect(list).toHaveLength(3);
    for (const line of list) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(list.join()).not.toContain(source);
    const [id = ''] = list[2]?.split(' ') ?? [];
    expect((await xsync('report', id, '--manifest', file())).out).toContain(`<title>xsync copy ${id}</title>`);
    expect((await xsync('report', 'latest', '--manifest', file())).out).not.toContain(id);
    expect(await xsync('report', 'no-such', '--manifest', file())).toMatchObject({
      ...{ code: 4, err: expect.stringContaining('no run "no-such"') },
    });
    expect((await xsync('report', '--manifest', file(), '-o', join(home, 'no', 'page'))).code).toBe(7);
  });

  test('the list of a pair has room for a day of failures and deletions, and a guard refused to delete', () => {
    const many = {
      ...summary,
      copied: { objects: 2345, bytes: 1_320_702_443 },
      failed: { ...summary.failed, objects: 12 },
      deleted: { objects: 345, bytes: 1, left: 0 },
    };
    const run = { id: '0123456789ab', command: 'sync', startedMs: 1, endedMs: 2, detail: '' } as const;
    const row = (outcome: 'complete' | 'guarded'): ListedRun => ({
      ...{ source: 'a', destination: 'b', summary: many, outcome, run: { ...run, outcome } },
    });
    const lines = runTable([row('complete'), row('guarded')], { pairs: false });
    expect(lines[1]).toMatch(/^0123456789ab .* failures$/);
    expect(lines[1]?.length).toBeLessThanOrEqual(80);
    expect(lines[2]).toMatch(/ refused to delete$/);
    for (const width of [80, 100, 139]) {
      const table = runTable([row('complete')], { pairs: true, width }).join('\n');
      for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(runTable([row('complete')], { pairs: true })[1]).toMatch(/failures +a → b$/);
  });
});

const { held: _held, ...older } = summary;

describe.each([
  ['damaged JSON', '{"summary":{"runId"'],
  ['JSON of another shape', '{"summary":7}'],
  ['an older shape without some fields', JSON.stringify({ summary: older, curve: [], sizes: [], slowest: [] })],
])('a run whose report is %s', (_what, detail) => {
  const lost = expect.stringMatching(/the report of run bad cannot be read from .*pair\.db: it is damaged or was/);

  async function damaged(): Promise<void> {
    await copied('a');
    withManifest((manifest) => {
      const startedMs = Date.now() + 1000;
      manifest.putRun({ id: 'bad', command: 'copy', startedMs, endedMs: startedMs + 500, outcome: 'complete', detail });
    });
  }

  test('is told of by status, which shows the rest', async () => {
    await damaged();
    const told = { code: 0, err: lost };
    expect(await xsync('status', '--manifest', file())).toMatchObject({
      ...{ ...told, out: expect.stringMatching(/History +100% of 1 object/) },
    });
    const json = await xsync('status', source, dest, '--manifest', file(), '--json');
    expect(json).toMatchObject(told);
    expect(JSON.parse(json.out)).toMatchObject({ source, destination: dest, history: { objects: 1 } });
    // Once for the pair, not for each row that is shown.
    expect(json.err.match(/cannot be read/g)).toHaveLength(1);
  });

  test('is refused by report with what to do instead, and listed with what is known of it', async () => {
    await damaged();
    for (const args of [['report'], ['report', 'bad']]) {
      const told = await xsync(...args, '--manifest', file());
      expect(told).toMatchObject({ code: 7, out: '', err: lost });
      expect(told.err).toContain('xsync report --list');
    }
    const list = await xsync('report', '--list', '--manifest', file());
    expect(list).toMatchObject({ code: 0, err: lost });
    const [, bad = '', good = ''] = list.out.split('\n');
    expect(bad).toMatch(/^bad .* 0\.5s +copy +\? +\? +complete$/);
    const [id = ''] = good.split(' ');
    expect((await xsync('report', id, '--manifest', file())).out).toContain(`<title>xsync copy ${id}</title>`);
  });

  test('hides no failed object, and failed --explain says that advice may be missing', async () => {
    await damaged();
    fail('locked.txt');
    expect(await xsync('failed', '--manifest', file())).toMatchObject({
      ...{ code: 0, err: '', out: expect.stringContaining('locked.txt') },
    });
    expect(await xsync('failed', '--manifest', file(), '--explain')).toMatchObject({
      ...{ code: 0, out: expect.stringContaining('AccessDenied') },
      err: expect.stringMatching(/the advice of run bad cannot be read/),
    });
  });

  test('keeps nothing from being retried or copied', async () => {
    await damaged();
    writeFileSync(join(source, 'late'), 'here now');
    fail('late');
    expect((await xsync('retry', '--manifest', file())).code).toBe(0);
    expect(readFileSync(join(dest, 'late'), 'utf8')).toBe('here now');
    for (const name of ['progress', 'pass', 'synchronised', 'live', 'route-settings']) {
      withManifest((manifest) => manifest.setFact(name, detail));
    }
    await copied('b');
    expect(readFileSync(join(dest, 'b'), 'utf8')).toBe('content of b');
    withManifest((manifest) => {
      const good = manifest.runs(10).find(({ id }) => id !== 'bad');
      if (good) manifest.putRun({ ...good, id: 'bad' });
    });
    expect(await xsync('status', '--manifest', file())).toMatchObject({
      ...{ code: 0, err: '', out: expect.stringMatching(/History +100% of 3 objects/) },
    });
  });
});
