/** Which options of a job have a meaning for histories, and how a run carries them. Tests: test/cli/history.test.ts */
import type { CheckJob } from '../engine/job/job.js';
import type { HistoryOptions } from '../engine/options.js';
import { XsyncError } from '../model/error.js';
import type { TransferJob } from './job.js';
import { linkMode } from './links.js';

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
  trackRenames: '--track-renames',
  deleteExcluded: '--delete-excluded',
  settle: '--settle',
  minSize: '--min-size',
  maxSize: '--max-size',
  minAge: '--min-age',
  maxAge: '--max-age',
  excludeIfPresent: '--exclude-if-present',
  includeTag: '--include-tag',
  excludeTag: '--exclude-tag',
  filesFrom: '--files-from',
  filesFromRaw: '--files-from-raw',
  filesFromVersions: '--files-from-versions',
  batchManifest: '--batch-manifest',
} as const;

/**
 * How the job carries histories; undefined if it copies the current objects.
 * @param asks each object is asked for
 * @throws usage: an option that cannot be combined with --versions, or means nothing without it
 */
export function historyOf(job: TransferJob, asks = false): HistoryOptions | undefined {
  const deleteVersions = 'deleteVersions' in job && job.deleteVersions === true;
  if (!('versions' in job) || job.versions !== true) {
    if (!deleteVersions) return undefined;
    throw new XsyncError('usage', '--delete-versions means nothing without --versions', {
      subject: '--delete-versions',
      remedy: 'Add --versions, or leave out --delete-versions.',
    });
  }
  if (deleteVersions && job.mode === 'watch' && job.delete !== true) {
    throw new XsyncError('usage', '--delete-versions means nothing without --delete', {
      subject: '--delete-versions',
      remedy: 'Add --delete, or leave out --delete-versions.',
    });
  }
  if (deleteVersions && 'maxDeleteSize' in job && job.maxDeleteSize !== undefined) {
    throw new XsyncError(
      'usage',
      '--max-delete-size cannot be combined with --delete-versions, which counts versions',
      {
        subject: '--max-delete-size',
        remedy: 'Use --max-delete.',
      },
    );
  }
  refuse(unfitIn(job) ?? followFlag(job) ?? (asks ? '--interactive' : compareFlag(job)));
  return { deleteVersions };
}

/** @throws usage: an option that cannot be combined with --versions */
export function refuseUnfitCheck(job: CheckJob): void {
  if (job.repair) {
    throw new XsyncError('usage', '--repair cannot be combined with --versions: a version can only be put on top', {
      subject: '--repair',
      remedy: 'Run xsync copy --versions, which adds the versions that are missing on top.',
    });
  }
  refuse(unfitIn(job) ?? followFlag(job));
}

/** What a link points to has a history of its own. */
function followFlag({ links, copyLinks }: Pick<CheckJob, 'links' | 'copyLinks'>): string | undefined {
  if (linkMode(links, copyLinks) !== 'follow') return undefined;
  return copyLinks ? '--copy-links' : '--links follow';
}

function unfitIn(job: object): string | undefined {
  return Object.entries(UNFIT).find(([name]) => name in job && job[name as keyof typeof job] !== undefined)?.[1];
}

function refuse(flag: string | undefined): void {
  if (flag === undefined) return;
  throw new XsyncError('usage', `${flag} cannot be combined with --versions`, {
    subject: flag,
    remedy: `Leave out ${flag}.`,
  });
}

function compareFlag(job: TransferJob): string | undefined {
  const { compare, traverse } = job;
  if (compare !== 'default') return compare === 'checksum' ? '--checksum' : `--${compare}`;
  if (!traverse) return '--no-traverse';
  if ('deleteTime' in job && job.deleteTime !== 'after') return `--delete-${job.deleteTime}`;
  return 'cutoffMode' in job && job.cutoffMode !== 'hard' ? '--cutoff-mode' : undefined;
}
