/**
 * RestoreObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html).
 * Tests: test/engine/pass/archives.test.ts
 */
import type { RestoreRequest, Tier } from '@aws-sdk/client-s3';
import { restoreRequest } from '../http/restoring.js';
import type { RestoreOptions } from '../port.js';

const TIERS = { expedited: 'Expedited', standard: 'Standard', bulk: 'Bulk' } as const satisfies Record<string, Tier>;

/** An object of INTELLIGENT_TIERING leaves its archive tier for good, and takes no days. */
function daysOf({ days, storageClass }: RestoreOptions): number | undefined {
  return storageClass === 'INTELLIGENT_TIERING' ? undefined : days;
}

export function restoreBody(options: RestoreOptions): string {
  return restoreRequest({ tier: options.tier, days: daysOf(options) }, 'GlacierJobParameters');
}

/** The same for the SDK. */
export function restoreInput(options: RestoreOptions): RestoreRequest {
  return { Days: daysOf(options), GlacierJobParameters: { Tier: TIERS[options.tier] } };
}
