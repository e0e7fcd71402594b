/** A mirror: its options, and its state in two manifests. Tests: test/open/mirror.test.ts, test/e2e/mirror.test.ts */
import type { Filter } from '../engine/filter/filter.js';
import { type MirrorJob, parseJob, type WatchJob } from '../engine/job/job.js';
import type { RunOptions } from '../engine/options.js';
import type { Reverse } from '../engine/pair.js';
import { refuseOverlap } from '../engine/run.js';
import type { Manifest } from '../manifest/port.js';
import { ReversedManifest } from '../manifest/reversed.js';
import { XsyncError } from '../model/error.js';
import { runOptions } from './job.js';
import type { OpenPair, OpenSettings, OpenSide } from './settings.js';
import { openState } from './state.js';

const SUFFIX = '.conflict';

/** The latest runs of a pair that tell how it was kept. */
const RUNS = 1000;

/** The fact of a mirror's two manifests: `rows` in the one that has them, `reverse` in the other. */
const MIRROR = 'mirror';

/** The fact of the manifest with the rows: when a pair was mirrored that only copies had kept before, ms. */
const SINCE = 'mirrored-since';

/** The manifest belongs to a mirror, in one of its directions. */
export function isMirrored(manifest: Pick<Manifest, 'getFact'>): boolean {
  return manifest.getFact(MIRROR) !== undefined;
}

/** Objects are copied as `copy` does it. @throws usage */
export function mirrorOptions(job: MirrorJob, filter: Filter | undefined, stop: AbortSignal): RunOptions {
  const { conflict, conflictSuffix = SUFFIX, maxDelete, maxDeleteSize, ignoreErrors, allowEmptySide } = job;
  if (conflictSuffix === '' || conflictSuffix.includes('/')) {
    throw new XsyncError('usage', `--conflict-suffix: "${conflictSuffix}" is empty or has a slash in it`, {
      subject: '--conflict-suffix',
      remedy: 'Give an ending such as .conflict.',
    });
  }
  const { source, destination, trackRenames = false } = job;
  const copying = runOptions({ ...parseJob('copy', { source, destination }), ...job, mode: 'copy' }, filter, stop);
  return {
    ...copying,
    command: 'mirror',
    trackRenames,
    policy: { ...copying.policy, mode: 'mirror', conflict, conflictSuffix },
    deletes: {
      when: 'after',
      max: maxDelete,
      maxBytes: maxDeleteSize,
      ignoreErrors: ignoreErrors === true,
      allowEmptySource: allowEmptySide === true,
      excluded: false,
    },
    resume: undefined,
  };
}

/** Options of a watch that mean one direction. */
const ONE_WAY = {
  delete: '--delete',
  deleteUnknown: '--delete-unknown',
  deleteExcluded: '--delete-excluded',
  deleteUnchecked: '--delete-unchecked',
  allowEmptySource: '--allow-empty-source',
  backupDir: '--backup-dir',
  suffix: '--suffix',
  ignoreExisting: '--ignore-existing',
  update: '--update',
  immutable: '--immutable',
  ignoreSize: '--ignore-size',
  ignoreChecksum: '--ignore-checksum',
  compareDest: '--compare-dest',
  copyDest: '--copy-dest',
  createBucket: '--create-bucket',
  createEmptySrcDirs: '--create-empty-src-dirs',
  restore: '--restore',
  copyLinks: '--copy-links',
  queue: '--queue',
  versions: '--versions',
  includeTag: '--include-tag',
  excludeTag: '--exclude-tag',
} as const satisfies Partial<Record<keyof WatchJob, string>>;

/**
 * The options of a watch in both directions.
 * @throws usage: an option that means one direction
 */
export function watchedMirror(job: WatchJob, filter: Filter | undefined, stop: AbortSignal): RunOptions {
  const { compare, traverse, workers, links } = job;
  const named = (Object.keys(ONE_WAY) as (keyof typeof ONE_WAY)[]).find((name) => job[name] !== undefined);
  const other = [
    compare !== 'default' && `--${compare}`,
    !traverse && '--no-traverse',
    workers !== 1 && '--workers',
    links !== 'auto' && '--links',
  ];
  const flag = named === undefined ? other.find((given) => given !== false) : ONE_WAY[named];
  if (flag !== undefined) {
    throw new XsyncError('usage', `${flag} has no meaning for a mirror, which goes both ways`, {
      subject: flag,
      remedy: `Leave out ${flag}, or --mirror.`,
    });
  }
  const { source, destination, conflict, conflictSuffix, maxDelete, maxDeleteSize, ignoreErrors, allowEmptySide } = job;
  const asked = { conflict, conflictSuffix, maxDelete, maxDeleteSize, ignoreErrors, allowEmptySide };
  const { policy, deletes } = mirrorOptions({ ...parseJob('mirror', { source, destination }), ...asked }, filter, stop);
  return { ...runOptions(job, filter, stop), policy, deletes, resume: undefined };
}

/**
 * The manifests of both directions, with their locks. The rows are in that of the direction in which the pair was first
 * mirrored, however it is named now.
 * @param classesBack of the route from b to a
 * @throws usage: both are one place, whose manifests would be one file; locked, config, not-writable, disk-full
 */
export function openMirrorState(
  sides: Pick<OpenPair, 'source' | 'dest' | 'single' | 'classes'>,
  classesBack: OpenPair['classes'],
  settings: OpenSettings,
  command: string,
): OpenPair {
  refuseOverlap(sides);
  const [source, dest] = [unclosed(sides.source), unclosed(sides.dest)];
  const { manifest: file } = settings;
  const there = openState({ ...sides, source, dest }, settings, command);
  try {
    const own = file === undefined ? settings : { ...settings, manifest: `${file}-reverse` };
    const back = openState({ ...sides, source: dest, dest: source }, { ...own, workers: 1 }, command);
    const close = async (): Promise<void> => {
      await back.close();
      await there.close();
      await Promise.all([sides.source.close(), sides.dest.close()]);
    };
    const { manifest, reverse } = rowsOf(there.manifest, back.manifest);
    return { ...there, ...sides, manifest, reverse: { ...reverse, classes: classesBack }, close };
  } catch (error) {
    void there.close();
    throw error;
  }
}

/** Both directions use it, and neither closes it. */
function unclosed(side: OpenSide): OpenSide {
  return { ...side, close: async () => {} };
}

function rowsOf(there: Manifest, back: Manifest): Pick<OpenPair, 'manifest'> & { reverse: Reverse } {
  const isReversed = there.getFact(MIRROR) !== 'rows' && hasRows(back, there);
  const [home, other] = isReversed ? [back, there] : [there, back];
  if (home.getFact(MIRROR) === undefined && !wasSynced(home)) home.setFact(SINCE, `${Date.now()}`);
  if (home.getFact(MIRROR) !== 'rows') home.setFact(MIRROR, 'rows');
  if (other.getFact(MIRROR) !== 'reverse') other.setFact(MIRROR, 'reverse');
  const since = home.getFact(SINCE);
  const reverse = { manifest: back, ...(since !== undefined && { sinceMs: Number(since) }) };
  return { manifest: isReversed ? new ReversedManifest(back, there) : there, reverse };
}

/** What a sync leaves on one side alone was deleted on the other. A copy leaves it there. */
function wasSynced(manifest: Manifest): boolean {
  return manifest.runs(RUNS).some(({ command }) => command === 'sync');
}

/** The other direction was mirrored, or has been copied as this one has not. */
function hasRows(back: Manifest, there: Manifest): boolean {
  if (back.getFact(MIRROR) === 'rows') return true;
  return there.page(undefined, 1).length === 0 && back.page(undefined, 1).length > 0;
}
