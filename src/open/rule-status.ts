/** The manifests of rules, without any request. Tests: test/cli/rules.test.ts */
import { isXsyncError } from '../model/error.js';
import type { RulePair } from '../rules/rule.js';
import { type KnownPair, knownPairs, lookingSettings } from './known.js';

/** What `read` makes of the pair's manifest; undefined if the pair has not run on this machine. @throws usage, config */
export async function withKnownPair<T>(
  { job: { source, destination, config, manifest } }: RulePair,
  env: NodeJS.ProcessEnv,
  read: (pair: KnownPair) => T,
): Promise<T | undefined> {
  const settings = lookingSettings(env, { config, manifest });
  try {
    for await (const known of knownPairs(settings, manifest === undefined ? { source, destination } : undefined)) {
      return read(known);
    }
  } catch (error) {
    if (!isXsyncError(error, 'bucket-not-found')) throw error;
  }
  return undefined;
}
