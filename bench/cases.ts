/** What is measured, as data. */

/** What a bucket of the stub lists; its name tells the stub. */
export interface Content {
  objects: number;
  /** Bytes of each object. */
  size: number;
  /** The keys lie under so many prefixes; flat when absent. */
  prefixes?: number;
}

export interface Contender {
  label: string;
  tool: 'xsync' | 'rclone';
  /** `SRC` and `DST` stand for the two locations. */
  args: readonly string[];
  /** One run goes before, unmeasured, and leaves its manifest behind. */
  manifest?: boolean;
}

export interface Case {
  name: string;
  /** `{objects}` and `{prefixes}` stand for the source's numbers. */
  title: string;
  source: Content;
  /** What the destination has already; nothing when absent. */
  destination?: Content;
  /** Before each answer of the servers. */
  delayMs?: number;
  /** Instead of the default number of runs. */
  runs?: number;
  /** What figures are told by: copied objects, copied bytes, keys compared, or none (start-up). */
  per: 'object' | 'byte' | 'key' | 'start';
  contenders: readonly Contender[];
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const XSYNC: Contender = { label: 'xsync', tool: 'xsync', args: ['copy', 'SRC', 'DST', '-q'] };
const RCLONE: Contender = { label: 'rclone', tool: 'rclone', args: ['copy', 'SRC', 'DST', '-q'] };
const TUNING = ['--transfers', '64', '--checkers', '64', '--s3-no-head', '--size-only', '--fast-list'];
const RCLONE_TUNED: Contender = {
  label: 'rclone, tuned',
  tool: 'rclone',
  args: ['copy', 'SRC', 'DST', '-q', ...TUNING],
};
const COPIERS = [XSYNC, RCLONE, RCLONE_TUNED];

/** By default rclone asks a HEAD for every key on both sides; with this it compares by the listings alone, as xsync does. */
const RCLONE_COMPARING: Contender = { ...RCLONE, label: 'rclone --checksum', args: [...RCLONE.args, '--checksum'] };
const COMPARERS: Contender[] = [
  { ...XSYNC, label: 'xsync, first run' },
  { ...XSYNC, label: 'xsync, with its manifest', manifest: true },
  RCLONE_COMPARING,
];

const MILLION: Content = { objects: 1_000_000, size: 4 * KiB };
const MILLION_IN_PREFIXES: Content = { ...MILLION, prefixes: 1000 };

export const CASES: readonly Case[] = [
  {
    name: 'copy-4k',
    title: '{objects} objects of 4 KiB',
    source: { objects: 20_000, size: 4 * KiB },
    per: 'object',
    contenders: COPIERS,
  },
  {
    name: 'copy-64k',
    title: '{objects} objects of 64 KiB',
    source: { objects: 20_000, size: 64 * KiB },
    per: 'object',
    contenders: COPIERS,
  },
  {
    name: 'copy-4k-20ms',
    title: '{objects} objects of 4 KiB, every answer 20 ms late',
    source: { objects: 2_000, size: 4 * KiB },
    delayMs: 20,
    runs: 3,
    per: 'object',
    contenders: [...COPIERS, { ...XSYNC, label: 'xsync --transfers 64', args: [...XSYNC.args, '--transfers', '64'] }],
  },
  {
    name: 'copy-8m',
    title: '{objects} objects of 8 MiB, one request each',
    source: { objects: 256, size: 8 * MiB },
    per: 'byte',
    contenders: COPIERS,
  },
  {
    name: 'copy-2g',
    title: 'One object of 2 GiB in parts of 8 MiB',
    source: { objects: 1, size: 2 * GiB },
    per: 'byte',
    contenders: [
      { ...XSYNC, args: [...XSYNC.args, '--part-size', '8M'] },
      { ...RCLONE, args: [...RCLONE.args, '--s3-chunk-size', '8M'] },
      {
        ...RCLONE_TUNED,
        label: 'rclone, 8 parts at once',
        args: [...RCLONE.args, '--s3-chunk-size', '8M', '--s3-upload-concurrency', '8'],
      },
    ],
  },
  {
    name: 'diff-flat',
    title: '{objects} keys without prefixes, nothing to copy',
    source: MILLION,
    destination: MILLION,
    runs: 3,
    per: 'key',
    contenders: COMPARERS,
  },
  {
    name: 'diff-prefixes',
    title: '{objects} keys under {prefixes} prefixes, nothing to copy',
    source: MILLION_IN_PREFIXES,
    destination: MILLION_IN_PREFIXES,
    runs: 3,
    per: 'key',
    contenders: COMPARERS,
  },
  {
    name: 'start',
    title: 'Start-up',
    source: { objects: 0, size: 0 },
    per: 'start',
    contenders: [
      { label: 'xsync --version', tool: 'xsync', args: ['--version'] },
      { label: 'rclone version', tool: 'rclone', args: ['version'] },
    ],
  },
];

/** Everything a tenth as large: to see that the bench works, not for figures. */
export function quick(content: Content): Content {
  const tenth = (n: number) => Math.ceil(n / 10);
  return { ...content, objects: tenth(content.objects), prefixes: content.prefixes && tenth(content.prefixes) };
}

export function titleOf({ title, source: { objects, prefixes = 0 } }: Case): string {
  const text = (n: number) => n.toLocaleString('en-US');
  return title.replace('{objects}', text(objects)).replace('{prefixes}', text(prefixes));
}

/** The stub's name for a bucket with this content. */
export function bucketOf(name: string, { objects, size, prefixes }: Content): string {
  return `${name}-${objects}-${size}-${prefixes ? `p${prefixes}` : 'flat'}`;
}
