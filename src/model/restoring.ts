/** `--restore`: how archived objects are asked for. Tests: test/model/restoring.test.ts */
import { XsyncError } from './error.js';

const TIERS = ['expedited', 'standard', 'bulk'] as const;

/** `tier`: how fast, and how dear. `days`: how long the object stays readable. */
export interface Restoring {
  tier: (typeof TIERS)[number];
  days: number;
}

/** Enough for a run on the next weekend; OSS allows it for every class. */
const DAYS = 7;
/** ColdArchive of OSS ("RestoreObject"); S3 has no limit of its own. */
const MOST_DAYS = 365;

/** `standard`, `bulk,30`. @throws usage */
export function parseRestoring(text: string): Restoring {
  const [, name, number] = /^([a-z]+)(?:,(\d{1,3}))?$/i.exec(text.trim()) ?? [];
  const tier = TIERS.find((one) => one === name?.toLowerCase());
  const days = number === undefined ? DAYS : Number(number);
  if (tier !== undefined && days >= 1 && days <= MOST_DAYS) return { tier, days };
  throw new XsyncError('usage', `--restore: "${text}" is not a tier with a number of days`, {
    subject: '--restore',
    remedy: `Use expedited, standard or bulk, with 1 to ${MOST_DAYS} days: --restore bulk,30.`,
  });
}
