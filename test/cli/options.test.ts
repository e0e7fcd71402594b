import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { copyOptions } from '../../src/cli/commands/copy.js';
import type { TransferCommandFlags } from '../../src/cli/commands/transfer.js';
import { levelOfFlags } from '../../src/cli/context.js';
import { jobOf } from '../../src/cli/job.js';
import type { CopyJob } from '../../src/engine/job/job.js';
import type { RunOptions } from '../../src/engine/options.js';
import { copyConnections, filterOf, openSettings, runOptions } from '../../src/open/job.js';
import type { OpenSettings } from '../../src/open.js';

const MIB = 1024 ** 2;

function parse(...args: string[]): TransferCommandFlags {
  const command = copyOptions(new Command('copy').exitOverride().configureOutput({ writeErr: () => {} }));
  command.parse(args, { from: 'user' });
  return command.opts<TransferCommandFlags>();
}

const job = async (...args: string[]): Promise<CopyJob> =>
  jobOf('copy', { source: 'a', destination: 'b' }, parse(...args));

const run = async (...args: string[]): Promise<RunOptions> =>
  runOptions(await job(...args), undefined, new AbortController().signal);

const settings = async (...args: string[]): Promise<OpenSettings> => openSettings(await job(...args), 8, {});

afterEach(() => {
  vi.unstubAllEnvs();
});

const RUN: [string[], Partial<RunOptions>][] = [
  [[], { dryRun: false, maxConnections: 512, checkers: 16, objectAttempts: 3 }],
  [['--max-connections', '64'], { maxConnections: 64 }],
  [[], { createBucket: false, noTraverse: false, cutoffMode: 'hard' }],
  [['-n'], { dryRun: true }],
  [['--dry-run'], { dryRun: true }],
  [['--transfers', '4'], { transfers: 4 }],
  [['--part-concurrency', '2'], { partConcurrency: 2 }],
  [['--checkers', '5'], { checkers: 5 }],
  [['--part-size', '16M'], { partSize: 16 * MIB }],
  [['--max-memory', '1G'], { maxMemory: 1024 * MIB }],
  [['--max-memory', 'off'], { maxMemory: Number.MAX_SAFE_INTEGER }],
  [['--retries', '7'], { objectAttempts: 7 }],
  [['--create-bucket'], { createBucket: true }],
  [['--storage-class', 'IA'], { carry: { metadata: true, fidelity: 'warn', storageClass: 'IA' } }],
  [['--no-traverse'], { noTraverse: true }],
  [['--max-transfer', '10G'], { maxTransfer: 10_240 * MIB }],
  [['--max-duration', '1h30m'], { maxDurationMs: 5_400_000 }],
  [['--cutoff-mode', 'cautious'], { cutoffMode: 'cautious' }],
  [['--check-first'], { checkFirst: true, resume: undefined }],
  [['--order-by', 'size'], { resume: undefined }],
  [['--ignore-checksum'], { ignoreChecksum: true }],
  [['--create-empty-src-dirs'], { emptyFolders: true }],
];

const POLICY: [string[], Partial<RunOptions['policy']>][] = [
  [[], { compare: 'default', ignoreExisting: false, update: false, immutable: false, modifyWindowMs: 1 }],
  [['-c'], { compare: 'checksum' }],
  [['--checksum'], { compare: 'checksum' }],
  [['--size-only'], { compare: 'size-only' }],
  [['-I'], { compare: 'ignore-times' }],
  [['--ignore-times'], { compare: 'ignore-times' }],
  [['--ignore-existing'], { ignoreExisting: true }],
  [['-u'], { update: true }],
  [['--immutable'], { immutable: true }],
  [['--modify-window', '2s'], { modifyWindowMs: 2000 }],
  [['--ignore-size'], { ignoreSize: true }],
];

const OPEN: [string[], Partial<OpenSettings>][] = [
  [[], { transport: 'lean', lowLevelRetries: 10, timeoutMs: 60_000, contimeoutMs: 15_000, copyLinks: false }],
  [['--config', 'c.yaml'], { config: 'c.yaml' }],
  [['--manifest', 'm.db'], { manifest: 'm.db' }],
  [['--transport', 'sdk'], { transport: 'sdk' }],
  [['--low-level-retries', '3'], { lowLevelRetries: 3 }],
  [['--timeout', '5m'], { timeoutMs: 300_000 }],
  [['--timeout', 'off'], { timeoutMs: 2 ** 31 - 1 }],
  [['--contimeout', '2s'], { contimeoutMs: 2000 }],
  [['--tpslimit', '2.5', '--tpslimit-burst', '4'], { tpslimit: 2.5, tpslimitBurst: 4 }],
  [['-L'], { copyLinks: true }],
];

describe('each option reaches what it is for', () => {
  it.each(RUN)('%j', async (args, expected) => {
    expect(await run(...args)).toMatchObject(expected);
  });

  it.each(POLICY)('comparison %j', async (args, expected) => {
    expect((await run(...args)).policy).toMatchObject(expected);
  });

  it.each(OPEN)('connection %j', async (args, expected) => {
    expect(await settings(...args)).toMatchObject(expected);
  });

  it('--bwlimit', async () => {
    expect((await settings('--bwlimit', '10M:1M')).bandwidth?.(0)).toEqual({ up: 10 * MIB, down: MIB });
  });

  it('-q, -v, -vv and --log-level', async () => {
    const levels = [[], ['-q'], ['-v'], ['-vv'], ['-v', '-v', '-v'], ['--log-level', 'INFO']].map((args) =>
      levelOfFlags(parse(...args)),
    );
    expect(levels).toEqual(['notice', 'error', 'info', 'debug', 'debug', 'info']);
    expect(() => levelOfFlags(parse('-q', '-v'))).toThrow('--quiet');
  });

  it('as many connections as may be in flight, and no more than a server bears', async () => {
    expect(copyConnections(await job('--transfers', '2', '--part-concurrency', '3', '--checkers', '4'))).toBe(10);
    expect(copyConnections(await job('--transfers', '500'))).toBe(512);
    expect(copyConnections(await job('--transfers', '500', '--part-concurrency', '4'))).toBe(512);
    expect(copyConnections(await job('--max-connections', '40'))).toBe(40);
  });

  it('without --transfers and --part-concurrency the tuner decides', async () => {
    expect(await run()).toMatchObject({ transfers: undefined, partConcurrency: undefined });
  });

  it('data in flight takes no more than half of the memory unless told', async () => {
    expect((await run()).maxMemory).toBeLessThanOrEqual(totalmem() / 2);
  });
});

describe('the environment', () => {
  it('sets any option, and the command line wins', async () => {
    vi.stubEnv('XSYNC_TRANSFERS', '4');
    vi.stubEnv('XSYNC_PART_SIZE', '8M');
    vi.stubEnv('XSYNC_NO_TRAVERSE', 'true');
    vi.stubEnv('XSYNC_VERBOSE', '2');
    expect(await run()).toMatchObject({ transfers: 4, partSize: 8 * MIB, noTraverse: true });
    expect(levelOfFlags(parse())).toBe('debug');
    expect(await run('--transfers', '6')).toMatchObject({ transfers: 6 });
  });

  it('can say no as well as yes, so that XSYNC_DRY_RUN=false does copy', async () => {
    for (const no of ['false', '0', 'no', 'off', '', 'FALSE']) {
      vi.stubEnv('XSYNC_DRY_RUN', no);
      expect((await run()).dryRun).toBe(false);
    }
    vi.stubEnv('XSYNC_DRY_RUN', '1');
    expect((await run()).dryRun).toBe(true);
    vi.stubEnv('XSYNC_DRY_RUN', 'perhaps');
    await expect(run()).rejects.toThrow('XSYNC_DRY_RUN');
  });

  it('cannot undo an "off" of the command line, and can say off itself', async () => {
    vi.stubEnv('XSYNC_MAX_TRANSFER', '1G');
    expect((await run('--max-transfer', 'off')).maxTransfer).toBeUndefined();
    vi.stubEnv('XSYNC_MAX_TRANSFER', 'off');
    expect((await run()).maxTransfer).toBeUndefined();
  });

  it('names the variable that a bad value came from', async () => {
    vi.stubEnv('XSYNC_PART_SIZE', 'huge');
    await expect(run()).rejects.toThrow('XSYNC_PART_SIZE: "huge" is not a size');
  });
});

describe('mistakes are refused before anything is done', () => {
  it.each([
    [['--transfers', '0'], '--transfers'],
    [['--transfers', '1.5'], '--transfers'],
    [['--part-size', '-1'], '--part-size'],
    [['--timeout', 'soon'], '--timeout'],
    [['--log-level', 'loud'], '--log-level'],
    [['--cutoff-mode', 'now'], '--cutoff-mode'],
    [['--size-only', '--checksum'], '--checksum and --size-only'],
    [['--nonsense'], '--nonsense'],
  ])('%j', async (args, named) => {
    await expect(run(...args)).rejects.toThrow(named);
  });
});

describe('filters', () => {
  it('are absent when nothing was asked for', async () => {
    expect(await filterOf(parse())).toBeUndefined();
  });

  it('keep the order of repeated rules, of which the first that fits decides', async () => {
    const verdicts = async (...rules: string[]): Promise<boolean[] | undefined> => {
      const filter = await filterOf(parse(...rules.flatMap((rule) => ['--filter', rule])));
      return filter && ['keep.bak', 'drop.bak'].map((key) => filter.test(key, 1, 0).included);
    };
    expect(await verdicts('+ keep.*', '- *.bak')).toEqual([true, false]);
    expect(await verdicts('- *.bak', '+ keep.*')).toEqual([false, false]);
  });

  it('take sizes, ages and files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xsync-options-'));
    try {
      const list = join(folder, 'list');
      writeFileSync(list, '# wanted\n*.gz\n');
      const filter = await filterOf(
        parse('--include-from', list, '--min-size', '10B', '--max-size', '1k', '--max-age', '1d'),
      );
      const now = Date.now();
      const test = (key: string, size: number, ageMs: number): boolean | undefined =>
        filter?.test(key, size, now - ageMs).included;
      expect([test('a.gz', 10, 0), test('a.txt', 10, 0), test('a.gz', 9, 0)]).toEqual([true, false, false]);
      expect([test('a.gz', 1025, 0), test('a.gz', 10, 2 * 86_400_000)]).toEqual([false, false]);
      const files = await filterOf(parse('--files-from', list));
      expect(files?.files).toEqual(['*.gz']);
      await expect(filterOf(parse('--filter-from', join(folder, 'none')))).rejects.toThrow('filter file');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
