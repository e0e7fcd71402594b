/** Whether a history can be carried from one side to the other, and what a person must know first. Tests: test/cli/history.test.ts */
import type { CopyJob } from '../engine/job/job.js';
import { XsyncError } from '../model/error.js';
import { versioningOf } from './past.js';
import type { OpenPair } from './settings.js';

/** What has no meaning for a history, which is carried whole and in its order. */
const UNFIT = {
  at: '--at',
  backupDir: '--backup-dir',
  suffix: '--suffix',
  checkFirst: '--check-first',
  orderBy: '--order-by',
  ignoreExisting: '--ignore-existing',
  update: '--update',
  immutable: '--immutable',
  compareDest: '--compare-dest',
  copyDest: '--copy-dest',
  minSize: '--min-size',
  maxSize: '--max-size',
  minAge: '--min-age',
  maxAge: '--max-age',
  excludeIfPresent: '--exclude-if-present',
  filesFrom: '--files-from',
  filesFromRaw: '--files-from-raw',
} as const satisfies Partial<Record<keyof CopyJob, string>>;

/** @throws usage: an option that cannot be combined with --versions */
export function refuseUnfit(job: CopyJob, asks: boolean): void {
  const given = (Object.keys(UNFIT) as (keyof typeof UNFIT)[]).find((name) => job[name] !== undefined);
  const flag = given === undefined ? (asks ? '--interactive' : compareFlag(job)) : UNFIT[given];
  if (flag === undefined) return;
  throw new XsyncError('usage', `${flag} cannot be combined with --versions`, {
    subject: flag,
    remedy: `Leave out ${flag}.`,
  });
}

function compareFlag({ compare, traverse, cutoffMode }: CopyJob): string | undefined {
  if (compare !== 'default') return compare === 'checksum' ? '--checksum' : `--${compare}`;
  if (!traverse) return '--no-traverse';
  return cutoffMode === 'hard' ? undefined : '--cutoff-mode';
}

/**
 * Looks at the versioning of both sides, in one request each.
 * @returns warnings
 * @throws usage: a side keeps no versions, or not all of them
 */
export async function historyWarnings({ source, dest }: Pick<OpenPair, 'source' | 'dest'>): Promise<string[]> {
  const [from, to] = [await versioningOf(source.store), await versioningOf(dest.store)];
  if (from === 'never') throw refusal(`${source.text} keeps no versions`, 'Leave out --versions.');
  if (to === 'never' || to === 'suspended') {
    const what = to === 'never' ? 'keeps no versions' : 'has its versioning suspended';
    throw refusal(
      `${dest.text} ${what}: of each object, only the latest version would remain`,
      dest.store.versioning ? 'Enable versioning on the bucket, or leave out --versions.' : 'Leave out --versions.',
    );
  }
  const warnings: string[] = [];
  const blind = [from === 'unknown' && source.text, to === 'unknown' && dest.text].filter((text) => text !== false);
  for (const text of blind) warnings.push(`${text}: the credentials may not see whether it keeps versions`);
  if (from === 'suspended') {
    warnings.push(
      `${source.text}: versioning is suspended; a write there replaces the last version, so that the destination may keep more versions`,
    );
  }
  return warnings;
}

function refusal(message: string, remedy: string): XsyncError {
  return new XsyncError('usage', message, { subject: '--versions', remedy });
}
