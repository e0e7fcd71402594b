/** The manifest's row of an object that was found equal without a copy. */
import type { Manifest, ManifestRow } from '../manifest/port.js';
import type { ObjectEntry } from '../model/object.js';
import type { VerifiedBy } from '../model/verified.js';
import type { SkipReason } from './decide.js';
import type { Triple } from './diff.js';

/** What an adopted row was found equal by; a size alone adopts nothing. */
const ADOPTED_BY: Partial<Record<SkipReason, VerifiedBy>> = { 'same-checksum': 'computed', 'same-time': 'size' };

/**
 * Undefined when what was found is not enough for a row.
 * @param ours xsync wrote it, though no row says so
 */
export function adoptedRow(
  { key, source, dest, row }: Triple,
  reason: SkipReason,
  ours = false,
): ManifestRow | undefined {
  const verifiedBy = ADOPTED_BY[reason];
  if (!source || !dest || verifiedBy === undefined) return undefined;
  return {
    key,
    size: source.size,
    sourceEtag: source.etag,
    sourceMtimeMs: source.mtimeMs,
    destEtag: dest.etag,
    verifiedBy,
    ours: row?.ours ?? ours,
    atMs: row?.atMs ?? Date.now(),
  };
}

/** A request that was under way when a run was killed may land so much later; two clocks may differ by as much. In ms. */
const MARGIN_MS = 60_000;

/** What runs that were killed had written when they died, and no row says so: recognised by its time. */
export class KilledRuns {
  readonly #spans: readonly { startedMs: number; endedMs: number }[];

  constructor(manifest: Pick<Manifest, 'killedRuns'>, nowMs: number) {
    this.#spans = manifest.killedRuns(nowMs);
  }

  /** @param dest as a network store lists it; on local disk a file keeps its source's time, which tells nothing */
  wrote({ mtimeMs }: ObjectEntry): boolean {
    return this.#spans.some(({ startedMs, endedMs }) => mtimeMs >= startedMs && mtimeMs <= endedMs + MARGIN_MS);
  }
}
