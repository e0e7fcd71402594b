import { PassThrough } from 'node:stream';
import { Chalk } from 'chalk';
import type { Io } from '../../src/cli/context.js';
import type { Terminal } from '../../src/cli/render/terminal.js';
import type { RunEvent, Summary } from '../../src/engine/events.js';

export const plain = new Chalk({ level: 0 });

/** 2026-01-02T03:04:05Z. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A clock that moves when it is told to. */
export class Clock {
  ms = START_MS;
  readonly now = (): number => this.ms;
}

export interface Captured extends PassThrough {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  /** All that was written so far. */
  text(): string;
}

export function capture(terminal?: { columns: number; rows?: number }): Captured & Terminal {
  const chunks: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const shape = terminal === undefined ? {} : { isTTY: true, rows: 24, ...terminal };
  return Object.assign(stream, shape, { text: () => Buffer.concat(chunks).toString('utf8') });
}

export interface FakeIo extends Io {
  stdout: ReturnType<typeof capture>;
  stderr: ReturnType<typeof capture>;
}

export function fakeIo(env: NodeJS.ProcessEnv = {}, terminal?: { columns: number }): FakeIo {
  const stdin = new PassThrough();
  stdin.end();
  return { stdin, stdout: capture(terminal), stderr: capture(terminal), env, now: Date.now };
}

export const summary: Summary = {
  runId: '0123456789ab',
  source: 's3://src/data',
  destination: 'shanghai:dst/data',
  dryRun: false,
  startedMs: START_MS,
  elapsedMs: 83_400,
  listed: { source: 2423, destination: 2021 },
  copied: { objects: 2011, bytes: 1_320_702_443 },
  resumed: { objects: 2, parts: 14, bytes: 117_440_512 },
  skipped: { objects: 412, bytes: 99_000_000, byReason: { 'same-checksum': 12, unchanged: 400 } },
  held: { objects: 0, byClass: {}, dropped: 0 },
  deleted: { objects: 0, bytes: 0, left: 0 },
  kept: { objects: 0, bytes: 0, byReason: {} },
  backedUp: { objects: 0, bytes: 0 },
  failed: {
    objects: 2,
    byClass: { permanent: 1, person: 1 },
    list: [
      {
        key: 'cold/tape\n1.tar',
        size: 10,
        class: 'person',
        code: 'object-archived',
        message: 'data/cold/tape\n1.tar: the object is archived',
        remedy: 'Restore it first.',
        attempts: 1,
      },
      {
        key: 'long/../key',
        size: 10,
        class: 'permanent',
        code: 'key-not-representable',
        message: 'the destination cannot hold this key',
        attempts: 1,
      },
    ],
  },
  unfinished: { objects: 0 },
  verified: { md5: 1800, crc64: 200, size: 11 },
  retries: 5,
  restarts: 1,
  waste: { parts: 0, bytes: 0 },
  traffic: {
    source: { requests: { list: 3, read: 2052 }, bytesIn: 1_203_261_931, bytesOut: 0 },
    destination: { requests: { list: 3, put: 2009, uploadPart: 43 }, bytesIn: 0, bytesOut: 1_203_261_931 },
  },
};

/** One of each kind, as a run would tell them. */
export const events: RunEvent[] = [
  { type: 'start', runId: '01', source: './a', destination: 's3://b', dryRun: false, manifest: '/state/a-b.db' },
  { type: 'notice', level: 'info', message: 'the clock was corrected by 3600 s' },
  { type: 'notice', level: 'warn', message: 'the source lists out of order' },
  { type: 'listed', side: 'source', objects: 1000, done: false },
  { type: 'listed', side: 'source', objects: 1500, done: true },
  { type: 'skip', key: 'same', size: 5, reason: 'unchanged' },
  { type: 'skip', key: 'left.bak', size: 5, reason: 'filtered', detail: '--exclude "*.bak"' },
  { type: 'plan', key: 'big', size: 20_971_520, reason: 'new', parts: 3, sourceMtimeMs: 1_795_000_000_000 },
  { type: 'begin', key: 'big', size: 20_971_520, parts: 3, resumedBytes: 8_388_608 },
  { type: 'progress', key: 'big', bytes: 4_194_304 },
  {
    type: 'retry',
    side: 'destination',
    kind: 'uploadPart',
    key: 'p/big',
    attempt: 1,
    delayMs: 250,
    code: 'throttled',
    message: 'p/big: SlowDown',
  },
  { type: 'progress', key: 'big', bytes: 8_388_608 },
  {
    type: 'copied',
    key: 'big',
    size: 20_971_520,
    verifiedBy: 'md5-of-parts',
    parts: 3,
    resumedParts: 1,
    resumedBytes: 8_388_608,
    sourceMtimeMs: 1_700_000_000_000,
    replaced: false,
    elapsedMs: 1234.5,
  },
  { type: 'restart', key: 'moving', message: 'the source changed while it was read' },
  {
    type: 'failed',
    key: 'bad\u001b[2J',
    size: 7,
    class: 'temporary',
    code: 'checksum-mismatch',
    message: 'p/bad\u001b[2J: the bytes that arrived are not those that were sent',
    remedy: 'Try again.',
    attempts: 3,
  },
];
