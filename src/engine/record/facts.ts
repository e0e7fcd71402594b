/**
 * What the engine keeps in the manifest as JSON, with the shape that each fact must have to be read. The manifest
 * outlives versions of xsync and may be damaged: what does not fit reads as absent, and the next run writes it anew.
 */
import * as z from 'zod';
import type { Manifest, RunRow } from '../../manifest/port.js';
import type { AttributeName } from '../../model/attributes.js';
import type { ErrorCode } from '../../model/error.js';
import type { StopReason } from '../events.js';

/** One thing that the manifest keeps. */
export interface Fact<T> {
  readonly name: string;
  /** Raised when a field changes its meaning. An object is written with it; without it, it is of version 1. */
  readonly version: number;
  readonly schema: z.ZodType<T>;
}

const count = z.number();
const time = z.number();
const sum = z.object({ objects: count, bytes: count });
const counts = z.record(z.string(), count);

const limit = z.int().positive().optional().catch(undefined);
const lone = z.boolean().optional().catch(undefined);

/** What a route settled on: by hour (UTC), and `last` for an hour without any. */
export const ROUTE = {
  name: 'route-settings',
  version: 1,
  schema: z.record(
    z.string(),
    z.object({ parts: limit, objects: limit, partSize: limit, readSize: limit, lone }).catch({}),
  ),
};

/** How far the latest pass is. */
export const PROGRESS = {
  name: 'progress',
  version: 1,
  schema: z.object({
    ...{ runId: z.string(), command: z.string(), startedMs: time, updatedMs: time },
    ...{ listed: z.boolean(), complete: z.boolean() },
    ...{ source: sum, excluded: sum, synced: sum, pending: sum, rate: sum },
    ahead: count.optional(),
    last: sum.optional(),
  }),
};

/** What the runs that have ended have cost, by currency. */
export const SPENT = { name: 'spent', version: 1, schema: z.object({ sinceMs: time, amounts: counts }) };

/** An interrupted pass. */
export const PASS = {
  name: 'pass',
  version: 1,
  schema: z.object({
    ...{ startedMs: time, savedMs: time, unsettledMs: time.optional() },
    oddity: z.string().optional(),
    ...{ after: z.string().optional(), shape: z.string() },
    passed: z.object({ looked: count, objects: count, bytes: count }),
  }),
};

/** Everything that was at the source before this was seen, ms. */
export const SYNCHRONISED = { name: 'synchronised', version: 1, schema: time };

/** When the first complete pass began, ms. */
export const LIVE = { name: 'live', version: 1, schema: time };

/**
 * The pair carries histories. `complete`: a run over all keys has succeeded, so the manifest knows every version that the
 * destination has of them; `both`: also of the keys that the source does not have. `bootMs`: when the machine had started,
 * by its clock then: if it has started again since, the last notes may be lost.
 */
export const HISTORY = {
  name: 'history',
  version: 1,
  schema: z.object({ complete: z.boolean(), both: z.boolean().optional(), bootMs: time.optional() }),
};

/** By this, a queue knows the coordinator again that continues with the manifest. */
export const OWNER = { name: 'owner', version: 1, schema: z.string() };

/** Made when it is first used: few runs read the report of another one. */
let runSchema: ReturnType<typeof schemaOfRun> | undefined;

/** The detail of a run's row. */
const RUN = {
  name: 'run',
  version: 1,
  get schema() {
    runSchema ??= schemaOfRun();
    return runSchema;
  },
};

function schemaOfRun() {
  const failure = z.object({
    ...{ key: z.string(), size: count, attempts: count, message: z.string(), remedy: z.string().optional() },
    class: z.enum(['temporary', 'permanent', 'person']),
    code: z.custom<ErrorCode>((code) => typeof code === 'string'),
    operation: z.enum(['delete', 'list']).optional(),
  });

  const traffic = z.object({ requests: counts, bytesIn: count, bytesOut: count });

  const attribute = z.custom<AttributeName>((name) => typeof name === 'string');
  const note = z.object({ attribute, reason: z.string() });

  const fidelity = z.object({
    ...{ kept: counts, mapped: counts, lost: counts },
    reasons: z.array(note.extend({ became: z.enum(['mapped', 'lost']), objects: count })),
    objects: count,
    list: z.array(z.object({ key: z.string(), lost: z.array(note).readonly() })),
  });

  const summary = z.object({
    ...{ runId: z.string(), source: z.string(), destination: z.string(), dryRun: z.boolean() },
    ...{ startedMs: time, elapsedMs: count },
    listed: z.object({ source: count, destination: count }),
    copied: sum,
    resumed: sum.extend({ parts: count }),
    skipped: sum.extend({ byReason: counts }),
    failed: z.object({ objects: count, byClass: counts, list: z.array(failure) }),
    held: z.object({ objects: count, byClass: counts, dropped: count }),
    deleted: sum.extend({ left: count }),
    moved: sum.optional(),
    kept: sum.extend({ byReason: counts }),
    backedUp: sum,
    unfinished: z.object({ objects: z.number(), atLeast: z.boolean().optional() }),
    verified: counts,
    refreshed: count.optional(),
    renamed: sum.optional(),
    fidelity: fidelity.optional(),
    ...{ retries: count, restarts: count },
    waste: z.object({ parts: count, bytes: count }),
    traffic: z.object({ source: traffic, destination: traffic }),
    planned: z.object({ source: counts, destination: counts }).optional(),
    cost: z.array(z.object({ currency: z.string(), amount: z.number(), acceleration: z.number() })).optional(),
    stopped: z.custom<StopReason>((reason) => typeof reason === 'string').optional(),
  });

  return z.object({
    summary,
    curve: z.array(sum.extend({ atMs: count })),
    sizes: z.array(sum.extend({ upTo: count })),
    slowest: z.array(z.object({ key: z.string(), size: count, elapsedMs: count })),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  });
}

/** Undefined when the manifest does not have it, or not in a shape that can be read. */
export function readFact<T>(manifest: Pick<Manifest, 'getFact'>, fact: Fact<T>): T | undefined {
  return parse(manifest.getFact(fact.name), fact);
}

export function writeFact<T>(manifest: Pick<Manifest, 'setFact'>, fact: Fact<T>, value: T): void {
  manifest.setFact(fact.name, textOf(value, fact));
}

/** Undefined when it cannot be read. */
export function readRun({ detail }: Pick<RunRow, 'detail'>): z.infer<typeof RUN.schema> | undefined {
  return parse(detail, RUN);
}

/** The `detail` of a run's row. */
export function runText(detail: z.infer<typeof RUN.schema>): string {
  return textOf(detail, RUN);
}

/** What a person would see of the pair and cannot be read, in words. */
export function unreadable(manifest: Pick<Manifest, 'getFact' | 'runs'>): string[] {
  const [latest] = manifest.runs(1);
  const isLost = (fact: Fact<unknown>): boolean =>
    Boolean(manifest.getFact(fact.name)) && readFact(manifest, fact) === undefined;
  return [
    ...(isLost(PROGRESS) ? ['how far the latest pass is'] : []),
    ...(isLost(SYNCHRONISED) ? ['up to when the pair is synchronized'] : []),
    ...(latest && readRun(latest) === undefined ? [`the report of run ${latest.id}`] : []),
  ];
}

function textOf<T>(value: T, { version }: Fact<T>): string {
  return JSON.stringify(typeof value === 'object' ? { ...value, version } : value);
}

function parse<T>(text: string | undefined, { schema, version }: Fact<T>): T | undefined {
  if (!text) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return versionOf(value) > version ? undefined : schema.safeParse(value).data;
}

function versionOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || !('version' in value)) return 1;
  return typeof value.version === 'number' ? value.version : 1;
}
