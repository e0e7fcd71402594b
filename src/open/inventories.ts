/** Which inventories and lists a job names. Tests: test/cli/inventory.test.ts */
import type { CopyJob, MoveJob, SyncJob } from '../engine/job/job.js';
import { XsyncError } from '../model/error.js';
import type { Inventories } from '../open.js';
import type { ListOf } from './object-list.js';

/** @throws usage: an option contradicts them */
export function inventoriesOf(job: CopyJob | MoveJob | SyncJob): Inventories | undefined {
  if (job.mode === 'move') return undefined;
  const { sourceInventory: source, destInventory: dest } = job;
  if (source === undefined && dest === undefined) return undefined;
  const option = source === undefined ? '--dest-inventory' : '--source-inventory';
  const [flag, why] = contradiction(job) ?? [];
  if (flag !== undefined)
    throw new XsyncError('usage', `${option}: ${why}`, { subject: flag, remedy: `Leave out ${flag} or ${option}.` });
  return { source, dest };
}

/** The flag that does not go together with an inventory, and why. */
function contradiction(job: CopyJob | SyncJob): [flag: string, why: string] | undefined {
  if (job.versions && job.destInventory !== undefined)
    return [
      '--dest-inventory',
      'what --versions writes is compared with the destination itself, and with the manifest',
    ];
  if ('deleteVersions' in job && job.deleteVersions)
    return ['--delete-versions', 'a version that an inventory does not have may be there'];
  if (job.at !== undefined && job.sourceInventory !== undefined)
    return ['--at', '--at reads the source as it stood at another time'];
  if (job.filesFrom ?? job.filesFromRaw)
    return ['--files-from', '--files-from names the objects, and nothing is listed'];
  if (job.destInventory !== undefined && !job.traverse)
    return ['--no-traverse', '--no-traverse does not list the destination'];
  if (job.mode === 'sync' && job.deleteUnchecked) {
    return [
      '--delete-unchecked',
      'an object that an inventory does not have may be there, and --delete-unchecked would not look',
    ];
  }
  return undefined;
}

/** What says of itself which objects are meant. */
const OTHERS = {
  ...{ sourceInventory: '--source-inventory', destInventory: '--dest-inventory', at: '--at' },
  ...{ include: '--include', includeFrom: '--include-from', exclude: '--exclude', excludeFrom: '--exclude-from' },
  ...{ filter: '--filter', filterFrom: '--filter-from', filesFrom: '--files-from', filesFromRaw: '--files-from-raw' },
  ...{ minSize: '--min-size', maxSize: '--max-size', minAge: '--min-age', maxAge: '--max-age' },
  ...{ maxDepth: '--max-depth', excludeIfPresent: '--exclude-if-present' },
} as const satisfies Partial<Record<keyof CopyJob, string>>;

/** The list of objects that a job names. @throws usage: something else chooses objects, too */
export function listOf(job: CopyJob | MoveJob | SyncJob): ListOf | undefined {
  if (job.mode !== 'copy') return undefined;
  const { filesFromVersions, batchManifest } = job;
  if (filesFromVersions === undefined && batchManifest === undefined) return undefined;
  const option = batchManifest === undefined ? '--files-from-versions' : '--batch-manifest';
  const names = Object.keys(OTHERS) as (keyof typeof OTHERS)[];
  const other = names.find((name) => job[name] !== undefined);
  const both = filesFromVersions !== undefined && batchManifest !== undefined;
  const flag = other === undefined ? both && '--files-from-versions' : OTHERS[other];
  if (!flag) return { filesFromVersions, batchManifest };
  throw new XsyncError('usage', `${option} names every object itself and cannot be combined with ${flag}`, {
    subject: option,
    remedy: `Leave out ${flag} or ${option}.`,
  });
}
