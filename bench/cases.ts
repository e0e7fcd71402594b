/** The benchmark's cases, as data. */
import {
  AWS_SYNC,
  COMPARERS,
  COPIERS,
  type Contender,
  type Goal,
  IN_PARTS,
  IN_PARTS_FROM_DISK,
  NODE,
  type PeerName,
  plus,
  RCLONE,
  RCLONE_SIZES,
  WITH_A_DISK,
  XSYNC,
} from './contenders.js';

/** The contents of a bucket of the stub, which reads them from the bucket's name. */
export interface Content {
  objects: number;
  /** Bytes of each object. */
  size: number;
  /** Number of prefixes of the keys; absent for flat keys. */
  prefixes?: number;
  /**
   * The bucket keeps versions, and a list of them shows so many of each key; together they are `objects`. A list of
   * objects shows as many keys as there are objects.
   */
  versions?: number;
}

/** Maxima for the first contender, in multiples of the best peer's CPU and time. */
export interface PeerGoal {
  cpu?: number;
  time: number;
  /** Only these count; absent: all. */
  peers?: readonly PeerName[];
}

/** What proves that the bytes arrived: see `docs/benchmarks.md`. */
export type Proof = 'source MD5' | 'bytes sent' | 'size';

export interface Case {
  name: string;
  /** `{objects}` and `{prefixes}` are replaced with the source's numbers. */
  title: string;
  source: Content;
  /** The source is a folder. */
  from?: 'disk';
  /** Existing contents of the destination; absent if empty. `disk`: an empty folder. */
  destination?: Content | 'disk';
  /** The servers speak TLS 1.3. */
  tls?: true;
  /** Delay of each response of the servers. */
  delayMs?: number;
  /** The unit of the results: copied objects, copied bytes, listed keys, or none (start-up). */
  per: 'object' | 'byte' | 'key' | 'start';
  contenders: readonly Contender[];
  goal?: PeerGoal;
  /** What each tool verifies of a copy. */
  proof?: Partial<Record<'xsync' | PeerName, Proof>>;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const SLOW_MS = 100;

const FLAT: Content = { objects: 1_000_000, size: 4 * KiB };
const IN_PREFIXES: Content = { ...FLAT, prefixes: 1000 };
/** rclone needs half a minute for the flat bucket, and minutes with delayed responses. */
const COMPARERS_RCLONE_ONCE = COMPARERS.map((one) => (one.tool === 'rclone' ? { ...one, runs: 1 } : one));

/** A source that gives the MD5 of each object; rclone compares it as xsync does. */
const WHOLE = { xsync: 'source MD5', rclone: 'source MD5', aws: 'size', s5cmd: 'size' } as const;
/** A source that gives a composite ETag, which rclone does not compute. */
const COMPOSITE = { ...WHOLE, rclone: 'size' } as const;
/** A disk has no checksums: each tool hashes what it reads, and the store confirms it. */
const FROM_DISK = { xsync: 'bytes sent', rclone: 'bytes sent', aws: 'bytes sent', s5cmd: 'bytes sent' } as const;

const SIZE: Contender = { label: 'xsync size', tool: 'xsync', args: ['size', 'SRC'] };
const UNCHANGED: Content = { objects: 1000, size: 4 * KiB };

const COPIES: readonly Case[] = [
  {
    name: 'copy-4k',
    title: '{objects} objects of 4 KiB',
    source: { objects: 20_000, size: 4 * KiB },
    per: 'object',
    contenders: COPIERS,
    goal: { cpu: 0.5, time: 0.8 },
    proof: WHOLE,
  },
  {
    name: 'copy-64k',
    title: '{objects} objects of 64 KiB',
    source: { objects: 10_000, size: 64 * KiB },
    per: 'object',
    contenders: COPIERS,
    goal: { cpu: 0.5, time: 0.8 },
    proof: WHOLE,
  },
  {
    name: 'copy-4k-20ms',
    title: '{objects} objects of 4 KiB, every answer 20 ms late',
    source: { objects: 2_000, size: 4 * KiB },
    delayMs: 20,
    per: 'object',
    contenders: [
      ...COPIERS.map((one) => (one === RCLONE ? { ...one, runs: 1 } : one)),
      plus(XSYNC, 'xsync --transfers 64', '--transfers', '64'),
    ],
    goal: { time: 0.8 },
    proof: WHOLE,
  },
  {
    name: 'copy-8m',
    title: '{objects} objects of 8 MiB, one request each',
    source: { objects: 256, size: 8 * MiB },
    per: 'byte',
    contenders: COPIERS,
    goal: { cpu: 0.9, time: 0.9 },
    proof: WHOLE,
  },
  {
    name: 'copy-2g',
    title: 'One object of 2 GiB in parts of 8 MiB',
    source: { objects: 1, size: 2 * GiB },
    per: 'byte',
    contenders: IN_PARTS,
    goal: { cpu: 0.6, time: 0.8 },
    proof: { xsync: 'source MD5', rclone: 'bytes sent' },
  },
];

/** Real stores speak HTTPS: the same copies over TLS. */
const TLS_COPIES = COPIES.filter(({ name }) => ['copy-4k', 'copy-64k', 'copy-8m'].includes(name)).map(overTls);

function overTls(bench: Case): Case {
  return { ...bench, name: `${bench.name}-tls`, title: `${bench.title}, over TLS`, tls: true };
}

const VERSIONED: Content = { objects: 50_000, size: 4 * KiB, versions: 5 };

/** The two runs move the same bytes from and to the same buckets, so their CPU compares a version with an object. */
const HISTORIES: readonly Case[] = [
  {
    name: 'versions-4k',
    title: '{objects} versions of 4 KiB, {versions} of each key, beside as many objects',
    source: VERSIONED,
    destination: { ...VERSIONED, objects: 0 },
    per: 'object',
    contenders: [
      { ...XSYNC, label: 'xsync copy, every version', args: ['copy', '--versions', 'SRC', 'DST', '-q'] },
      { ...XSYNC, label: 'xsync copy, as many objects' },
    ],
    proof: WHOLE,
  },
];

const DOWNLOADS: readonly Case[] = [
  {
    name: 'disk-4k',
    title: '{objects} objects of 4 KiB to disk',
    source: { objects: 3_000, size: 4 * KiB },
    destination: 'disk',
    per: 'object',
    contenders: WITH_A_DISK,
    goal: { cpu: 0.9, time: 0.9 },
    proof: WHOLE,
  },
  {
    name: 'disk-64k',
    title: '{objects} objects of 64 KiB to disk',
    source: { objects: 2_000, size: 64 * KiB },
    destination: 'disk',
    per: 'object',
    contenders: WITH_A_DISK,
    goal: { cpu: 1, time: 1 },
    proof: WHOLE,
  },
  {
    name: 'disk-8m',
    title: '{objects} objects of 8 MiB to disk',
    source: { objects: 64, size: 8 * MiB },
    destination: 'disk',
    per: 'byte',
    contenders: WITH_A_DISK,
    goal: { cpu: 0.9, time: 0.9, peers: ['rclone'] },
    proof: WHOLE,
  },
  {
    name: 'disk-512m',
    title: 'One object of 512 MiB to disk',
    source: { objects: 1, size: 512 * MiB },
    destination: 'disk',
    per: 'byte',
    contenders: WITH_A_DISK,
    goal: { cpu: 2, time: 1.2, peers: ['rclone'] },
    proof: COMPOSITE,
  },
];

const UPLOADS: readonly Case[] = [
  {
    name: 'up-4k',
    title: '{objects} files of 4 KiB to a store',
    source: { objects: 5_000, size: 4 * KiB },
    from: 'disk',
    per: 'object',
    contenders: WITH_A_DISK,
    goal: { cpu: 0.9, time: 0.9 },
    proof: FROM_DISK,
  },
  {
    name: 'up-8m',
    title: '{objects} files of 8 MiB to a store',
    source: { objects: 64, size: 8 * MiB },
    from: 'disk',
    per: 'byte',
    contenders: WITH_A_DISK,
    goal: { cpu: 0.9, time: 0.9 },
    proof: FROM_DISK,
  },
  {
    name: 'up-2g',
    title: 'One file of 2 GiB to a store, in parts of 8 MiB',
    source: { objects: 1, size: 2 * GiB },
    from: 'disk',
    per: 'byte',
    contenders: IN_PARTS_FROM_DISK,
    goal: { cpu: 0.9, time: 0.9 },
    proof: FROM_DISK,
  },
];

const LISTINGS: readonly Case[] = [
  {
    name: 'size-100ms',
    title: '{objects} keys without prefixes counted, every answer 100 ms late',
    source: FLAT,
    delayMs: SLOW_MS,
    per: 'key',
    contenders: [
      SIZE,
      {
        ...plus(SIZE, 'one page at a time', '--list-concurrency', '1'),
        runs: 1,
        goal: { timesTheFirst: 20 },
      },
    ],
  },
  {
    name: 'diff-flat',
    title: '{objects} keys without prefixes, nothing to copy',
    source: FLAT,
    destination: FLAT,
    per: 'key',
    contenders: COMPARERS_RCLONE_ONCE,
    goal: { cpu: 0.05, time: 0.1 },
  },
  {
    name: 'diff-flat-100ms',
    title: '{objects} keys without prefixes, nothing to copy, every answer 100 ms late',
    source: FLAT,
    destination: FLAT,
    delayMs: SLOW_MS,
    per: 'key',
    contenders: COMPARERS_RCLONE_ONCE,
  },
  {
    name: 'diff-prefixes',
    title: '{objects} keys under {prefixes} prefixes, nothing to copy',
    source: IN_PREFIXES,
    destination: IN_PREFIXES,
    per: 'key',
    contenders: COMPARERS.map((one) => (one.tool === 'rclone' ? { ...one, runs: 3 } : one)),
    goal: { time: 0.25 },
  },
  {
    name: 'diff-prefixes-100ms',
    title: '{objects} keys under {prefixes} prefixes, nothing to copy, every answer 100 ms late',
    source: IN_PREFIXES,
    destination: IN_PREFIXES,
    delayMs: SLOW_MS,
    per: 'key',
    contenders: COMPARERS_RCLONE_ONCE,
  },
  {
    name: 'diff-50k',
    title: '{objects} keys without prefixes, nothing to copy',
    source: { ...FLAT, objects: 50_000 },
    destination: { ...FLAT, objects: 50_000 },
    per: 'key',
    contenders: [XSYNC, RCLONE_SIZES, AWS_SYNC],
  },
];

const STARTS_AS_SOON: Goal = { noSlowerThan: { together: [RCLONE_SIZES.label, NODE.label], plusS: 0 } };

const STARTS: readonly Case[] = [
  {
    name: 'start-version',
    title: 'Start-up',
    source: { objects: 0, size: 0 },
    per: 'start',
    contenders: [
      {
        label: 'xsync --version',
        tool: 'xsync',
        args: ['--version'],
        goal: { noSlowerThan: { together: [NODE.label], plusS: 0.03 } },
      },
      { label: 'rclone version', tool: 'rclone', args: ['version'] },
      NODE,
    ],
  },
  {
    name: 'start-unchanged',
    title: 'A run over {objects} objects of which none has changed',
    source: UNCHANGED,
    destination: UNCHANGED,
    per: 'start',
    contenders: [
      { ...XSYNC, label: 'xsync, first run', goal: STARTS_AS_SOON },
      { ...XSYNC, label: 'xsync, with its manifest', manifest: true, goal: STARTS_AS_SOON },
      RCLONE,
      RCLONE_SIZES,
      AWS_SYNC,
      NODE,
    ],
  },
];

export const CASES: readonly Case[] = [
  ...COPIES,
  ...TLS_COPIES,
  ...HISTORIES,
  ...DOWNLOADS,
  ...UPLOADS,
  ...LISTINGS,
  ...STARTS,
];

/** Everything at a tenth of its size: a check that the bench works, not for results. */
export function quick(bench: Case): Case {
  return scaled(bench, 0.1);
}

/** The case with so many times the objects. */
export function scaled(bench: Case, times: number): Case {
  const many = (n: number): number => Math.ceil(n * times);
  const more = (content: Content): Content => {
    const { objects, prefixes } = content;
    return { ...content, objects: many(objects), ...(prefixes && { prefixes: many(prefixes) }) };
  };
  const { source, destination } = bench;
  if (destination === undefined || destination === 'disk') return { ...bench, source: more(source) };
  return { ...bench, source: more(source), destination: more(destination) };
}

export function titleOf({ title, source: { objects, prefixes = 0, versions = 1 } }: Case): string {
  const text = (n: number) => n.toLocaleString('en-US');
  const numbers = { objects, prefixes, versions };
  return title.replace(/\{(objects|prefixes|versions)\}/g, (_, name: keyof typeof numbers) => text(numbers[name]));
}

/** The stub's name for a bucket with this content. */
export function bucketOf(name: string, { objects, size, prefixes, versions }: Content): string {
  const layout = versions ? `v${versions}` : prefixes ? `p${prefixes}` : 'flat';
  return `${name}-${objects}-${size}-${layout}`;
}
