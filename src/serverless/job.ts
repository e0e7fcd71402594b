/** The job of a function: what its variables say, and XSYNC_JOB. Tests: test/serverless/job.test.ts */
import { ATTRIBUTES } from '../engine/job/attributes.js';
import { type CopyJob, parseJob, type SyncJob } from '../engine/job/job.js';
import { COMPARE, DELETE, TRANSFER } from '../engine/job/options.js';
import { CONFIG, ENCRYPTION, LINKS, NETWORK } from '../engine/job/places.js';
import { XsyncError } from '../model/error.js';
import type { PullSettings } from './settings.js';

const { transfers, partConcurrency, maxConnections, partSize, maxMemory, retries } = TRANSFER;
const { compare, ignoreExisting, update, ignoreSize, immutable, modifyWindow } = COMPARE;
const { deleteUnknown } = DELETE;

/** What has a meaning where keys are named, and there is neither a listing nor a manifest. */
const MEANT = {
  ...{ ...ATTRIBUTES, ...ENCRYPTION, ...LINKS, ...NETWORK, ...CONFIG },
  ...{ transfers, partConcurrency, maxConnections, partSize, maxMemory, retries },
  ...{ compare, ignoreExisting, update, ignoreSize, immutable, modifyWindow, deleteUnknown },
};

/** @throws usage: an option of XSYNC_JOB is wrong, or would have no effect */
export function jobOf(
  settings: Pick<PullSettings, 'XSYNC_JOB' | 'XSYNC_DELETE' | 'XSYNC_DESTINATION'>,
  source: string,
): CopyJob | SyncJob {
  const { XSYNC_JOB: options, XSYNC_DELETE: deletes, XSYNC_DESTINATION: destination } = settings;
  const useless = Object.keys(options).find((name) => !(name in MEANT));
  const given = { ...options, source, destination };
  const job = deletes ? parseJob('sync', given) : parseJob('copy', given);
  if (useless === undefined) return job;
  throw new XsyncError('usage', `${useless} in XSYNC_JOB has no effect in a function`, {
    subject: 'XSYNC_JOB',
    remedy: 'Leave it out, or use "xsync bridge" on a host.',
  });
}
