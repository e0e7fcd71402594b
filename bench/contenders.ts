/** The measured tools and their arguments, as data. */

/** Other tools for the same work. */
export const PEERS = ['rclone', 'aws', 's5cmd'] as const;
export type PeerName = (typeof PEERS)[number];
export type ToolName = 'xsync' | 'node' | PeerName;

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
  /** The maximum time: that of these contenders together, and `plusS` seconds. */
  noSlowerThan?: { together: readonly string[]; plusS: number };
}

export interface Contender {
  label: string;
  tool: ToolName;
  /** `SRC` and `DST` are replaced with the two locations. */
  args: readonly string[];
  /** Another build of xsync: its `bin/xsync.js`. */
  program?: string;
  /** An option of `xsync copy`: builds that lack it are not measured. */
  needs?: string;
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

/** A second thread, as the peers use all cores by themselves. */
const threaded = (contender: Contender): Contender => ({
  ...plus(contender, 'xsync, 2 workers', '--workers', '2'),
  needs: '--workers',
});

export const COPIERS = [XSYNC, RCLONE, RCLONE_TUNED, threaded(XSYNC)];

/** These two support a single endpoint: they copy between a store and a disk, or compare two buckets of one store. */
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
export const WITH_A_DISK = [...COPIERS, AWS, S5CMD];

const XSYNC_PARTS = plus(XSYNC, 'xsync', '--part-size', '8M');
const PARTS: Contender[] = [
  XSYNC_PARTS,
  threaded(XSYNC_PARTS),
  plus(RCLONE, 'rclone', '--s3-chunk-size', '8M'),
  plus(RCLONE, 'rclone, 8 parts at once', '--s3-chunk-size', '8M', '--s3-upload-concurrency', '8'),
];
/** One object in parts of 8 MiB, between two stores. */
export const IN_PARTS = PARTS;
/** The same from a disk; 8 MiB is what the AWS command line uses. */
export const IN_PARTS_FROM_DISK: Contender[] = [
  ...PARTS,
  AWS,
  { ...S5CMD, args: ['--log', 'error', 'cp', '--part-size', '8', 'SRC/*', 'DST/'] },
];

const LISTS_A_MILLION: Goal = { wallS: 8, peakMB: 150 };
export const COMPARERS: Contender[] = [
  { ...XSYNC, label: 'xsync, first run', goal: LISTS_A_MILLION },
  { ...XSYNC, label: 'xsync, with its manifest', manifest: true, goal: LISTS_A_MILLION },
  {
    ...plus(XSYNC, 'xsync --no-traverse', '--no-traverse'),
    manifest: true,
    goal: { ...LISTS_A_MILLION, onlyItsPages: true },
  },
  RCLONE_SIZES,
];

/** Node's own start, which no program for Node can avoid. */
export const NODE: Contender = { label: 'node -e 0', tool: 'node', args: ['-e', '0'] };
