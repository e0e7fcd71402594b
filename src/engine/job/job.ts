/** A job: plain data, validated and completed by one schema. */
import * as z from 'zod';
import { XsyncError } from '../../model/error.js';
import type { Bandwidth, BandwidthSlot } from './bandwidth.js';
import type { OptionSpec, OptionTable } from './option.js';
import { MODES } from './options.js';

/** The value of one option in a job. */
type ValueOf<O> = O extends { kind: 'switch' | 'negated' }
  ? boolean
  : O extends { kind: 'list' }
    ? string[]
    : O extends { kind: 'text' }
      ? string
      : O extends { kind: 'bandwidth' }
        ? Bandwidth | BandwidthSlot[]
        : O extends { kind: 'count-or-percent' }
          ? { objects: number } | { percent: number }
          : O extends { kind: 'count-or-auto' }
            ? number | 'auto'
            : O extends { kind: 'choice'; choices: readonly (infer C)[] }
              ? C
              : O extends { kind: 'one-of'; choices: infer C; default: infer D }
                ? keyof C | D
                : O extends { kind: 'size' | 'duration'; default: number }
                  ? number | 'off'
                  : number;

type Defaulted<T> = { [K in keyof T]: T[K] extends { default: unknown } | { kind: 'negated' } ? K : never }[keyof T];

/** The values of a table of options. Those with a default are always present. */
export type Values<T> = { [K in Defaulted<T>]: ValueOf<T[K]> } & {
  [K in Exclude<keyof T, Defaulted<T>>]?: ValueOf<T[K]>;
};

export type Mode = keyof typeof MODES;

interface Places {
  version: 1;
  /** As on the command line: `remote:bucket/prefix`, `s3://bucket/prefix`, `./folder`. */
  source: string;
  destination: string;
}

/** Validated, with every default filled in. */
export type JobOf<M extends Mode> = Places &
  Values<(typeof MODES)[M]> & { mode: M } & (M extends 'copy' | 'move' ? { single?: boolean } : unknown);
export type CopyJob = JobOf<'copy'>;
export type MoveJob = JobOf<'move'>;
export type SyncJob = JobOf<'sync'>;
export type MirrorJob = JobOf<'mirror'>;
export type WatchJob = JobOf<'watch'>;
export type CheckJob = JobOf<'check'>;
export type Job = { [M in Mode]: JobOf<M> }[Mode];

/** A job as a program writes it: two places, and the options that differ from the defaults. */
export type GivenJob<M extends Mode> = Pick<Places, 'source' | 'destination'> &
  Partial<Omit<JobOf<M>, 'source' | 'destination' | 'mode'>>;

const number = (max = Number.MAX_SAFE_INTEGER) => z.number().min(0).max(max);
const bandwidth = { up: number().positive().optional(), down: number().positive().optional() };
const minutes = number(7 * 24 * 60 - 1).int();

const KINDS: Record<Exclude<OptionSpec['kind'], 'choice' | 'one-of'>, z.ZodType> = {
  switch: z.boolean(),
  negated: z.boolean(),
  list: z.array(z.string()),
  text: z.string(),
  size: number().int(),
  duration: z.number().min(0),
  interval: z.number().min(100),
  instant: z.number(),
  count: number(100_000).int().min(1),
  'count-or-auto': z.union([number(100).int().min(1), z.literal('auto')]),
  rate: number().positive(),
  bandwidth: z.union([
    z.strictObject(bandwidth),
    z.array(z.strictObject({ minute: minutes, ...bandwidth })).nonempty(),
  ]),
  'count-or-percent': z.union([z.strictObject({ objects: number().int() }), z.strictObject({ percent: number(100) })]),
};

function fieldOf(option: OptionSpec): z.ZodType {
  if (option.kind === 'choice') return z.enum(option.choices).default(option.default);
  if (option.kind === 'one-of') return z.enum([...Object.keys(option.choices), option.default]).default(option.default);
  const type = KINDS[option.kind];
  if (option.kind === 'negated') return type.default(true);
  if (!('default' in option) || option.default === undefined) return type.optional();
  const canBeOff = option.kind === 'size' || option.kind === 'duration';
  return (canBeOff ? z.union([type, z.literal('off')]) : type).default(option.default);
}

/** Made once: a process with a hundred rules parses hundreds of jobs. */
const schemas = new Map<Mode, z.ZodType<unknown>>();

function schemaOf<M extends Mode>(mode: M): z.ZodType<JobOf<M>> {
  const schema = schemas.get(mode) ?? makeSchema(mode);
  schemas.set(mode, schema);
  // The compiler cannot see that the shape and the type come from the same table.
  return schema as z.ZodType<JobOf<M>>;
}

function makeSchema(mode: Mode): z.ZodType<unknown> {
  const table: OptionTable = MODES[mode];
  const options = Object.fromEntries(Object.entries(table).map(([name, option]) => [name, fieldOf(option)]));
  return z.strictObject({
    version: z.literal(1).default(1),
    mode: z.literal(mode).default(mode),
    source: z.string(),
    destination: z.string(),
    ...((mode === 'copy' || mode === 'move') && { single: z.boolean().optional() }),
    ...options,
  });
}

/**
 * Validates a job of one mode and fills in the defaults.
 * @param nameOf the name of a field in error messages; its flag on the command line
 * @throws XsyncError `usage` that names the first invalid field
 */
export function parseJob<M extends Mode>(
  mode: M,
  given: unknown,
  nameOf: (field: string) => string = (field) => field,
): JobOf<M> {
  const { success, data, error } = schemaOf(mode).safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const subject = nameOf(String(unknown ?? issue?.path[0] ?? 'job'));
  const message = unknown === undefined ? issue?.message : `a ${mode} job has no such option`;
  throw new XsyncError('usage', `${subject}: ${message}`, { subject });
}
