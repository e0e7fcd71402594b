/** How an object is cut into parts. Pure. */
import type { Cut } from '../../model/ticket.js';
import type { Capabilities } from '../../store/port.js';

export const MiB = 1024 * 1024;

/** Small enough to repeat on a lossy line, large enough that a request's overhead does not matter. */
const DEFAULT_PART_SIZE = 8 * MiB;

/** Larger source part sizes are not imitated, because a whole part is held in memory. */
const LARGEST_IMITATED = 64 * MiB;

/** Part sizes of common tools, the most common first: AWS CLI, rclone and the SDKs, s5cmd, consoles and others. */
const USUAL_PART_SIZES = [8, 5, 16, 50, 15, 10, 32, 64, 20, 25, 6, 7, 12, 24, 48, 1, 2].map((n) => n * MiB);

/** Input for the cut. Sizes in bytes. */
export interface CutFacts {
  size: number;
  /** Of the destination. */
  limits: Capabilities;
  /** The destination's service makes the copy (server-side copy). */
  byService: boolean;
  /** Part size of an unfinished upload of this version that has parts. */
  checkpoint?: number;
  /** --part-size. */
  wanted?: number;
  /** The part size that the source was uploaded with, if its store returned it. */
  source?: number;
  /** The source's composite ETag. */
  md5ofParts?: string;
  /** The tuner's part size for the line. */
  tuned?: number;
  /** The largest part that --max-memory holds. */
  most?: number;
}

/**
 * How an object is cut; the first row that matches applies. The destination's limits bound every row but the first two,
 * and below them the memory all but the first three.
 *
 *   a server-side copy               whole, or parts of half the largest copy
 *   an unfinished upload with parts  as it was started
 *   --part-size                      that
 *   fits into one request            whole: at most the tuner's part size, or 8 MiB
 *   the source's cut is certain      as the source: the MD5s of the parts then prove the object by its ETag
 *   the source's cut can be guessed  as the source
 *   else                             the tuner's part size, or 8 MiB
 */
export function cutOf(facts: CutFacts): Cut {
  const { size, limits, wanted, source, checkpoint } = facts;
  if (facts.byService) return cutForService(size, limits);
  if (checkpoint !== undefined) return { partSize: checkpoint, parts: Math.ceil(size / checkpoint) };
  const imitated = Math.min(LARGEST_IMITATED, facts.most ?? LARGEST_IMITATED);
  const usual = Math.min(facts.tuned ?? DEFAULT_PART_SIZE, facts.most ?? Number.POSITIVE_INFINITY);
  const guess = size > usual ? guessSourceCut(size, facts.md5ofParts, imitated) : undefined;
  const cut = withinLimits(size, wanted ?? guess ?? usual, limits);
  if (cut.parts === 1 || wanted !== undefined || source === undefined) return cut;
  const parts = Math.ceil(size / source);
  const most = Math.min(limits.maxPartSize, imitated);
  return source >= limits.minPartSize && source <= most && parts <= limits.maxParts ? { partSize: source, parts } : cut;
}

/** At most `maxParts` parts, none of them below `minPartSize`. */
function withinLimits(size: number, wanted: number, limits: Capabilities): Cut {
  const needed = Math.ceil(size / limits.maxParts);
  const least = needed > wanted ? Math.ceil(needed / MiB) * MiB : wanted;
  const partSize = Math.min(Math.max(least, limits.minPartSize), limits.maxPartSize);
  if (size <= partSize && size <= limits.maxPutSize) return { partSize, parts: 1 };
  return { partSize, parts: Math.ceil(size / partSize) };
}

/** Parts of half the largest server-side copy: large parts cost the client nothing, but services copy them slowly. */
function cutForService(size: number, { maxCopySize, copiesWithin }: Capabilities): Cut {
  if (copiesWithin || size <= maxCopySize) return { partSize: Math.max(size, maxCopySize), parts: 1 };
  const partSize = Math.floor(maxCopySize / 2);
  return { partSize, parts: Math.ceil(size / partSize) };
}

/**
 * The usual part size that matches a multipart ETag `…-N` and the object's size, if any. A guess: if the composite MD5
 * of our parts then equals the ETag, it was right; otherwise it proves nothing.
 */
export function guessSourceCut(
  size: number,
  md5ofParts: string | undefined,
  most = LARGEST_IMITATED,
): number | undefined {
  const parts = Number(md5ofParts?.split('-')[1]);
  if (!(parts > 1)) return undefined;
  return USUAL_PART_SIZES.find((p) => p <= most && Math.ceil(size / p) === parts);
}

/** The byte range of part `partNumber` (from 1). */
export function partRange(partNumber: number, partSize: number, size: number): { offset: number; size: number } {
  const offset = (partNumber - 1) * partSize;
  return { offset, size: Math.min(partSize, size - offset) };
}
