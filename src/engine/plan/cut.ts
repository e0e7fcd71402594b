/** How an object is cut. Pure. */
import type { Capabilities } from '../../store/port.js';

export const MiB = 1024 * 1024;

/** Small enough for a lossy line to repeat, large enough to amortise a request. */
const DEFAULT_PART_SIZE = 8 * MiB;

/** Source part sizes beyond this are not worth imitating: a part is held in memory whole. */
export const LARGEST_IMITATED = 64 * MiB;

/** What people's tools cut at, the commonest first: aws cli, rclone and the SDKs, s5cmd, console and others. */
const USUAL_PART_SIZES = [8, 5, 16, 50, 15, 10, 32, 64, 20, 25, 6, 7, 12, 24, 48].map((n) => n * MiB);

export interface Cut {
  partSize: number;
  /** 1: a single request. */
  parts: number;
}

/**
 * Cuts `size` bytes for a destination with `limits`. The wanted size gives way to the limits: at most `maxParts`
 * parts, none below `minPartSize`. Without a wanted size, the cut that the source's multipart ETag betrays is taken,
 * because then the MD5s of our parts prove the object against that ETag.
 */
export function cutObject(
  size: number,
  limits: Capabilities,
  options: { wanted?: number; sourceCut?: number; tuned?: number },
): Cut {
  // What fits into one request goes in one, however the source was cut.
  const whole = options.tuned ?? DEFAULT_PART_SIZE;
  const wanted = options.wanted ?? (size > whole ? options.sourceCut : undefined) ?? whole;
  const needed = Math.ceil(size / limits.maxParts);
  const least = needed > wanted ? Math.ceil(needed / MiB) * MiB : wanted;
  const partSize = Math.min(Math.max(least, limits.minPartSize), limits.maxPartSize);
  if (size <= partSize && size <= limits.maxPutSize) return { partSize, parts: 1 };
  return { partSize, parts: Math.ceil(size / partSize) };
}

/**
 * The part size that a multipart ETag `…-N` and the object's size agree with, if it is a usual one. A guess: when the
 * composite MD5 of our parts then equals the ETag it was right, otherwise it proves nothing.
 */
export function guessSourceCut(size: number, md5ofParts: string | undefined): number | undefined {
  const parts = Number(md5ofParts?.split('-')[1]);
  if (!(parts > 1)) return undefined;
  return USUAL_PART_SIZES.find((p) => p <= LARGEST_IMITATED && Math.ceil(size / p) === parts);
}

/** Where part `partNumber` (from 1) lies. */
export function partRange(partNumber: number, partSize: number, size: number): { offset: number; size: number } {
  const offset = (partNumber - 1) * partSize;
  return { offset, size: Math.min(partSize, size - offset) };
}
