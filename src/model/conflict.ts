/** Tests: test/engine/decide/both-ways.test.ts */

/** What becomes of a key of a mirror that has changed on both sides, to different content. */
export const CONFLICT_WAYS = ['keep-both', 'newer', 'older', 'larger', 'smaller', 'a', 'b', 'fail'] as const;
export type ConflictWay = (typeof CONFLICT_WAYS)[number];
