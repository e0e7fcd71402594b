/**
 * What the coordinator and the workers say to each other through Redis: plain data, without a secret, and validated by
 * whoever reads it. Tests: test/cluster/messages.test.ts
 */
import * as z from 'zod';
import { validTicket } from '../engine/plan/valid-ticket.js';
import type { Observation, PartSent } from '../engine/transfer/means.js';
import type { PartHashing } from '../engine/transfer/verify.js';
import type { PlainError, Question } from '../engine/workers/messages.js';
import type { PartRow, UploadRow } from '../manifest/checkpoints.js';
import { XsyncError } from '../model/error.js';
import type { Outcome } from '../model/outcome.js';
import type { CopyTicket } from '../model/ticket.js';
import type { Counts } from '../store/wrap/meter.js';
import type { RetryNotice } from '../store/wrap/share.js';

/** Workers with another version give a job back. */
export const JOB_VERSION = 1;

/** What holds for all jobs of one run. */
export interface Terms {
  /** ID of the pair. */
  pair: string;
  /** As typed: each worker has the remotes in its own config. A folder on disk is its absolute path. */
  source: string;
  dest: string;
  /** Checksums are ignored; see unverified.ts. */
  unverified?: true;
  /** Of what is written, and how a disk is read. */
  sse?: string;
  localEncoding?: string;
  localXattrs?: true;
  localPermissions?: 'none' | 'mode' | 'owner' | 'all';
  copyLinks?: true;
  /** Links of the source are replaced by what they point to. */
  follows?: 'failing' | 'lenient';
  /** Requests per second, over all workers. */
  tpslimit?: number;
}

/** A ticket, and its unfinished upload if it has one. `again`: a worker that had it may have written the object. */
export interface CopyWork {
  type: 'copy';
  ticket: CopyTicket;
  upload?: { row: UploadRow; parts: PartRow[] };
  again?: true;
}

/** Parts of an upload that the coordinator has begun. */
export interface PartsWork {
  type: 'parts';
  ticket: CopyTicket;
  uploadId: string;
  hashing: PartHashing;
  numbers: number[];
}

export type Work = CopyWork | PartsWork;

export interface JobData {
  version: number;
  /** Of the program that coordinates. */
  program: string;
  terms: Terms;
  work: Work[];
}

/** Of a ticket, or of a part; `by`: the worker's name. */
export type Result = ({ outcome: Outcome } | { sent: PartSent } | { error: PlainError }) & { by?: string };

/**
 * Names a result in its job: the number of the work, and of the part.
 */
export function fieldOf(work: number, part?: number): string {
  return part === undefined ? `${work}` : `${work}.${part}`;
}

/** From a worker to the coordinator. Results are in Redis as well; the rest is lost if nobody listens. */
export interface News {
  job: string;
  worker: string;
  results?: [field: string, result: Result][];
  observed?: Observation[];
  retried?: { side: 'source' | 'dest'; event: RetryNotice }[];
  traffic?: Partial<Record<'source' | 'dest', Counts>>;
  /** Calls of the checkpoints. */
  checkpoints?: Question[];
  /** The worker cannot do it, and has given it back. */
  refused?: string;
  /** It does no more of it. What has no result is left undone. */
  over?: true;
}

/** What a worker says of itself, each second. */
export interface Presence {
  name: string;
  program: string;
  /** Since it was started. */
  objects: number;
  bytes: number;
  jobs: number;
  /** Requests that it may have in flight. */
  room: number;
  draining?: true;
}

const terms: z.ZodType<Terms> = z.strictObject({
  pair: z.string().regex(/^[\w.-]{1,200}$/),
  source: z.string().min(1),
  dest: z.string().min(1),
  unverified: z.literal(true).optional(),
  sse: z.string().optional(),
  localEncoding: z.string().optional(),
  localXattrs: z.literal(true).optional(),
  localPermissions: z.enum(['none', 'mode', 'owner', 'all']).optional(),
  copyLinks: z.literal(true).optional(),
  follows: z.enum(['failing', 'lenient']).optional(),
  tpslimit: z.number().positive().optional(),
});

const row = z.strictObject({
  partNumber: z.int().min(1),
  size: z.int().min(0),
  etag: z.string(),
  md5: z.string().optional(),
  crc64ecma: z.string().optional(),
});

const ticket = z.unknown().transform((value): CopyTicket => {
  const valid = validTicket(value);
  if (valid.action === 'copy') return valid;
  throw new XsyncError('usage', 'a job has a ticket that is not a copy');
});

const hashed = z.strictObject({ upTo: z.int().min(0), state: z.string() });

const uploadRow = z.strictObject({
  key: z.string(),
  uploadId: z.string(),
  sourceEtag: z.string(),
  size: z.int().min(0),
  partSize: z.int().min(1),
  createdMs: z.number(),
  hashed: hashed.optional(),
});

const upload = z.strictObject({ row: uploadRow, parts: z.array(row) });

const work = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('copy'),
    ticket,
    upload: upload.optional(),
    again: z.literal(true).optional(),
  }),
  z.strictObject({
    type: z.literal('parts'),
    ticket,
    uploadId: z.string().min(1),
    hashing: z.strictObject({ md5: z.boolean(), crc64ecma: z.boolean() }),
    numbers: z.array(z.int().min(1)).max(10_000),
  }),
]);

const job = z.strictObject({ version: z.int(), program: z.string(), terms, work: z.array(work).max(1000) });

/** @throws usage: it is not a job, or one of another version of xsync */
export function validJob(value: unknown): JobData {
  const head = z.looseObject({ version: z.int(), program: z.string().max(40) }).safeParse(value);
  if (head.success && head.data.version !== JOB_VERSION) {
    throw new XsyncError('usage', `the coordinator is xsync ${head.data.program}, whose jobs this worker cannot read`, {
      remedy: 'Run the same version of xsync everywhere.',
    });
  }
  const parsed = job.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new XsyncError('usage', `a job is not valid: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** A worker of another version may say more or less of itself. */
const presence: z.ZodType<Presence> = z.looseObject({
  name: z.string().max(200),
  program: z.string().max(40),
  objects: z.int(),
  bytes: z.int(),
  jobs: z.int(),
  room: z.int().min(1).max(100_000).default(1),
  draining: z.literal(true).optional(),
});

/** Undefined if it is none. */
export function validUpload(value: unknown): CopyWork['upload'] {
  const { success, data } = upload.safeParse(value);
  return success ? data : undefined;
}

/** Undefined if it is none. */
export function validPresence(text: string): Presence | undefined {
  const { success, data } = presence.safeParse(jsonOf(text));
  return success ? data : undefined;
}

const copied = z.looseObject({
  kind: z.literal('copied'),
  destEtag: z.string(),
  verifiedBy: z.string(),
  parts: z.int(),
  resumedParts: z.int(),
  resumedBytes: z.int(),
});

const by = z.string().max(200).optional();
const result = z.union([
  z.strictObject({
    by,
    outcome: z.union([
      copied,
      z.looseObject({ kind: z.enum(['overtaken', 'vanished', 'unfinished']) }),
      z.looseObject({
        kind: z.literal('changed'),
        now: z.looseObject({ etag: z.string(), size: z.int(), mtimeMs: z.number() }),
        message: z.string(),
        attempts: z.int(),
      }),
      z.looseObject({
        kind: z.literal('failed'),
        fault: z.looseObject({ class: z.string(), code: z.string(), message: z.string() }),
        attempts: z.int(),
      }),
    ]),
  }),
  z.strictObject({ by, sent: z.strictObject({ row, confirmed: z.boolean(), contradicted: z.boolean() }) }),
  z.strictObject({ by, error: z.looseObject({ type: z.literal('error'), code: z.string(), message: z.string() }) }),
]);

/** Undefined if it is none. */
export function validResult(value: unknown): Result | undefined {
  if (!result.safeParse(value).success) return undefined;
  // The compiler cannot see that the shapes of the schema are those of the type.
  return value as Result;
}

const counts = z.strictObject({ requests: z.record(z.string(), z.int()), bytesIn: z.int(), bytesOut: z.int() });
const side = z.enum(['source', 'dest']);

const question = z.discriminatedUnion('call', [
  z.strictObject({ call: z.enum(['upload', 'parts', 'endUpload']), key: z.string() }),
  z.strictObject({ call: z.literal('beginUpload'), row: uploadRow }),
  z.strictObject({ call: z.literal('addPart'), key: z.string(), part: row }),
  z.strictObject({ call: z.literal('noteHash'), key: z.string(), hashed }),
  z.strictObject({ call: z.literal('dropParts'), key: z.string(), partNumbers: z.array(z.int()) }),
]);

const observation = z.union([
  z.looseObject({ type: z.literal('progress'), key: z.string(), bytes: z.int() }),
  z.looseObject({ type: z.literal('begin'), key: z.string(), size: z.int(), parts: z.int(), resumedBytes: z.int() }),
  z.looseObject({ type: z.literal('notice'), level: z.enum(['info', 'warn']), message: z.string() }),
  z.looseObject({ type: z.enum(['race', 'backup']), key: z.string() }),
  z.looseObject({
    type: z.literal('damaged'),
    ticket: z.looseObject({ key: z.string() }),
    fault: z.looseObject({ code: z.string(), message: z.string() }),
  }),
]);

const news = z.strictObject({
  job: z.string(),
  worker: z.string().max(200),
  results: z.array(z.tuple([z.string(), result])).optional(),
  observed: z.array(observation).optional(),
  retried: z
    .array(z.strictObject({ side, event: z.looseObject({ kind: z.string(), message: z.string() }) }))
    .optional(),
  traffic: z.partialRecord(side, counts).optional(),
  checkpoints: z.array(question).optional(),
  refused: z.string().optional(),
  over: z.literal(true).optional(),
});

/** Undefined if it is none: whoever can write to Redis can also write to its channels. */
export function validNews(text: string): News | undefined {
  const value = jsonOf(text);
  if (!news.safeParse(value).success) return undefined;
  // The compiler cannot see that the shapes of the schema are those of the type.
  return value as News;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
