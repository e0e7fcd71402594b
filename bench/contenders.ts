/** Who is measured, as data: the tools and how each is called. */

export type ToolName = 'xsync' | 'rclone' | 'aws' | 's5cmd';

/** What is to be reached at least; each is told beside what was measured. */
export interface Goal {
  /** Seconds, at most. */
  wallS?: number;
  /** Megabytes of 1,000,000 bytes, at most. */
  peakMB?: number;
  /** A LIST for each 1,000 keys of the source, and no other request. */
  onlyItsPages?: true;
  /** For who is beside xsync: takes so many times the time of the case's first contender, at least. */
  timesTheFirst?: number;
}

export interface Contender {
  label: string;
  tool: ToolName;
  /** `SRC` and `DST` stand for the two locations. */
  args: readonly string[];
  /** A plain xsync copy goes before, unmeasured, and leaves its manifest behind. */
  manifest?: boolean;
  /** At most so many runs: for who waits minutes for answers, which take equally long in each run. */
  runs?: number;
  goal?: Goal;
}

/** The same contender, called with more. */
export function plus(contender: Contender, label: string, ...args: string[]): Contender {
  return { ...contender, label, args: [...contender.args, ...args] };
}

export const XSYNC: Contender = { label: 'xsync', tool: 'xsync', args: ['copy', 'SRC', 'DST', '-q'] };
export const RCLONE: Contender = { label: 'rclone', tool: 'rclone', args: ['copy', 'SRC', 'DST', '-q'] };
const TUNING = ['--transfers', '64', '--checkers', '64', '--s3-no-head', '--size-only', '--fast-list'];
export const RCLONE_TUNED = plus(RCLONE, 'rclone, tuned', ...TUNING);
/** By default rclone asks a HEAD for every key on both sides; with this it compares by the listings alone, as xsync does. */
export const RCLONE_SIZES = plus(RCLONE, 'rclone --size-only', '--size-only');

export const COPIERS = [XSYNC, RCLONE, RCLONE_TUNED];

/** The two that know one endpoint alone: they copy from a store to disk, or compare two buckets of one store. */
export const AWS_SYNC: Contender = {
  label: 'aws s3 sync',
  tool: 'aws',
  args: ['s3', 'sync', 'SRC', 'DST', '--only-show-errors'],
};
const AWS: Contender = {
  label: 'aws s3 cp',
  tool: 'aws',
  args: ['s3', 'cp', 'SRC', 'DST', '--recursive', '--only-show-errors'],
};
const S5CMD: Contender = { label: 's5cmd', tool: 's5cmd', args: ['--log', 'error', 'cp', 'SRC/*', 'DST/'] };
export const DOWNLOADERS = [...COPIERS, AWS, S5CMD];

const LISTS_A_MILLION: Goal = { wallS: 8, peakMB: 200 };
export const COMPARERS: Contender[] = [
  { ...XSYNC, label: 'xsync, first run', goal: LISTS_A_MILLION },
  { ...XSYNC, label: 'xsync, with its manifest', manifest: true, goal: LISTS_A_MILLION },
  {
    ...plus(XSYNC, 'xsync --no-traverse', '--no-traverse'),
    manifest: true,
    goal: { ...LISTS_A_MILLION, onlyItsPages: true },
  },
  { ...RCLONE_SIZES, goal: { timesTheFirst: 4 } },
];
