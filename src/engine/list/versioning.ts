/** Whether the sides keep what a history needs, asked before anything moves. Tests: test/cli/history.test.ts */
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { CallOptions, ObjectStore, Versioning } from '../../store/port.js';
import type { RunPair } from '../pair.js';

/** Asks the bucket. Never, for a store without versions; unknown: the credentials may not see it. */
export async function versioningOf(
  store: Pick<ObjectStore, 'versioning'>,
  options?: CallOptions,
): Promise<Versioning | 'unknown'> {
  if (!store.versioning) return 'never';
  try {
    return await store.versioning(options);
  } catch (error) {
    if (isXsyncError(error, 'access-denied')) return 'unknown';
    throw error;
  }
}

/**
 * Looks at the versioning of both sides, in one request each.
 * @param writes false: the histories are only compared
 * @returns warnings
 * @throws usage: a side keeps no versions, or not all that are to be written
 */
export async function versioningWarnings(
  { source, dest }: Pick<RunPair, 'source' | 'dest'>,
  { writes, signal }: { writes: boolean; signal: AbortSignal },
): Promise<string[]> {
  const ask = ({ store }: RunPair['source']) => versioningOf(store, { signal });
  const [from, to] = await Promise.all([ask(source), ask(dest)]);
  if (from === 'never') throw refusal(`${source.text} keeps no versions`, 'Leave out --versions.');
  if (to === 'never' || (to === 'suspended' && writes)) {
    const what = to === 'never' ? 'keeps no versions' : 'has its versioning suspended';
    throw refusal(
      `${dest.text} ${what}${writes ? ': of each object, only the latest version would remain' : ''}`,
      dest.store.versioning && writes
        ? 'Enable versioning on the bucket, or leave out --versions.'
        : 'Leave out --versions.',
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
