/** The measured tools and their arguments, as data. */

export type ToolName = 'xsync' | 'rclone' | 'aws' | 's5cmd';

/** A goal, which is reported next to the measurement. */
export interface Goal {
  /** Maximum, in seconds. */
  wallS?: number;
  /** Maximum, in megabytes of 1,000,000 bytes. */
  peakMB?: number;
  /** One LIST per 1,000 keys of the source, and no other request. */
  onlyItsPages?: true;
  /** For other tools: the minimum time, in multiples of the case's first contender. */
  timesTheFirst?: number;
}

export interface Contender {
  label: string;
  tool: ToolName;
  /** `SRC` and `DST` are replaced with the two locations. */
  args: readonly string[];
  /** An unmeasured xsync copy runs first and leaves its manifest. */
  manifest?: boolean;
  /** Maximum number of runs, for tools that wait minutes for responses, equally in each run. */
  runs?: number;
  goal?: Goal;
}

/** The same contender with more arguments. */
export function plus(contender: Contender, label: string, ...args: string[]): Contender {
  return { ...contender, label, args: [...contender.args, ...args] };
}

export const XSYNC: Contender = { label: 'xsync', tool: 'xsync', args: ['copy', 'SRC', 'DST', '-q'] };
export const RCLONE: Contender = { label: 'rclone', tool: 'rclone', args: ['copy', 'SRC', 'DST', '-q'] };
const TUNING = ['--transfers', '64', '--checkers', '64', '--s3-no-head', '--size-only', '--fast-list'];
export const RCLONE_TUNED = plus(RCLONE, 'rclone, tuned', ...TUNING);
/** By default rclone sends a HEAD for every key on both sides. With this it compares by listings only, like xsync. */
export const RCLONE_SIZES = plus(RCLONE, 'rclone --size-only', '--size-only');

export const COPIERS = [XSYNC, RCLONE, RCLONE_TUNED];

/** These two support a single endpoint: they copy from a store to disk, or compare two buckets of one store. */
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
