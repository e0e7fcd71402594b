/** Attributes of objects that a run does not copy, because their bytes are the same. Tests: test/engine/transfer/refresh.test.ts */
import type { ManifestRow } from '../../manifest/port.js';
import { compositeEtag } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import { isRewritten, type ObjectEntry } from '../../model/object.js';
import type { SkipReason } from '../decide/decide.js';
import type { Triple } from '../list/diff.js';
import { planCopy } from '../plan/plan.js';
import type { RunContext } from './context.js';

/** Skips of objects whose bytes the destination has. */
const SAME: readonly SkipReason[] = ['unchanged', 'same-checksum', 'same-time'];

const IMMUTABLE = 'has other attributes at the destination, and --immutable forbids changing them';

/**
 * Whether attributes of the object may have changed: its time has, with the same ETag; or all are to be compared.
 * @param unfinished an earlier write may have ended between the bytes and the attributes
 */
export function mayDiffer(
  { options }: RunContext,
  { source, dest, row }: Triple,
  reason: SkipReason,
  unfinished: boolean,
): boolean {
  if (!source || !dest || !SAME.includes(reason)) return false;
  if (source.special !== undefined && source.special !== 'appendable') return false;
  if (options.compareAttributes) return true;
  if (options.policy.immutable) return false;
  if (unfinished) return true;
  return reason === 'unchanged' && row !== undefined && isRewritten(source.mtimeMs, row.sourceMtimeMs);
}

/** An earlier write of the object failed, or was interrupted where some of its attributes are set by requests of their own. */
export function mayBeUnfinished({ pair, intents, route }: RunContext, key: string, failures: boolean): boolean {
  if (failures && pair.manifest.failure(key) !== undefined) return true;
  const { tags, acl, lock } = route.carry ?? {};
  return (tags || acl || lock) === true && intents.unfinished(key) !== undefined;
}

/**
 * Sets the attributes that differ, and notes the destination's new version.
 * @param unfinished of which nobody was told yet what it lost
 * @returns the ETag of the destination's object afterwards; `needs-copy` if it has to be copied instead
 * @throws guard: they differ, and must not be changed; what `refreshAttributes` throws
 */
export async function refresh(
  context: RunContext,
  { key, row }: Triple,
  { source, dest }: { source: ObjectEntry; dest: ObjectEntry },
  unfinished: boolean,
): Promise<{ destEtag: string } | 'needs-copy'> {
  const { route, pair, executor, committer, options, forecast, emit } = context;
  const { immutable } = options.policy;
  const { etag, size, mtimeMs, checksums } = source;
  const keys = { key, sourceKey: pair.source.prefix + key, destKey: pair.dest.prefix + key };
  const md5ofParts = compositeEtag(checksums ?? {});
  const ticket = planCopy(route, { ...keys, etag, size, mtimeMs, md5ofParts, replaces: dest.etag });
  const refreshed = await executor.refresh(ticket, options.dryRun || immutable);
  if (immutable && refreshed.kind !== 'same') throw new XsyncError('guard', IMMUTABLE, { class: 'permanent' });
  if (refreshed.kind === 'needs-copy') return 'needs-copy';
  const destEtag = refreshed.kind === 'refreshed' ? refreshed.destEtag : dest.etag;
  const { fidelity } = refreshed;
  const changed = refreshed.kind === 'refreshed' ? refreshed.changed : [];
  if (options.dryRun) forecast.addRefresh(changed);
  if (changed.length > 0 || (unfinished && fidelity)) {
    emit({ type: 'attributes', key, size, changed, ...(fidelity && { fidelity }) });
  }
  // Setting attributes gives the object another time, which the answer does not tell.
  const written = { destMtimeMs: undefined, atMs: Date.now() };
  const times = {
    sourceMtimeMs: mtimeMs,
    ...(refreshed.kind === 'refreshed' ? written : { destMtimeMs: dest.mtimeMs }),
  };
  const known: ManifestRow | undefined = row && { ...row, ...times, sourceEtag: etag, destEtag };
  if (known && !options.dryRun) committer.add(known);
  return { destEtag };
}
