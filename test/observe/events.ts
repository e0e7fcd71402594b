/** Events of runs, short to write. */
import type { RunEvent, Summary } from '../../src/engine/events.js';
import type { PairStatus } from '../../src/engine/record/status.js';

export const SUMMARY: Summary = {
  runId: 'run1',
  source: 'a:src',
  destination: 'b:dst',
  dryRun: false,
  startedMs: 1_000_000,
  elapsedMs: 2000,
  listed: { source: 3, destination: 1 },
  copied: { objects: 1, bytes: 10 },
  resumed: { objects: 0, parts: 0, bytes: 0 },
  skipped: { objects: 0, bytes: 0, byReason: {} },
  failed: { objects: 0, byClass: {}, list: [] },
  held: { objects: 0, byClass: {}, dropped: 0 },
  deleted: { objects: 0, bytes: 0, left: 0 },
  kept: { objects: 0, bytes: 0, byReason: {} },
  backedUp: { objects: 0, bytes: 0 },
  unfinished: { objects: 0 },
  verified: { md5: 1 },
  retries: 0,
  restarts: 0,
  waste: { parts: 0, bytes: 0 },
  traffic: {
    source: { requests: {}, bytesIn: 0, bytesOut: 0 },
    destination: { requests: {}, bytesIn: 0, bytesOut: 0 },
  },
};

export const STATUS: PairStatus = {
  atMs: 0,
  pending: { objects: 0, bytes: 0 },
  failed: { objects: 0, bytes: 0, byClass: {}, dropped: 0, oldest: [] },
  conflicts: 0,
  known: 0,
  lag: {},
};

type Outcome = Extract<RunEvent, { type: 'end' }>['outcome'];

export function start(runId = 'run1', dryRun = false, kept?: false): RunEvent {
  return { type: 'start', runId, source: 'a:src', destination: 'b:dst', dryRun, manifest: 'm.db', kept };
}

export function plan(key: string, sourceMtimeMs: number): RunEvent {
  return { type: 'plan', key, size: 10, reason: 'new', parts: 1, sourceMtimeMs };
}

export function begin(key: string): RunEvent {
  return { type: 'begin', key, size: 10, parts: 1, resumedBytes: 0 };
}

export function copied(key: string, sourceMtimeMs: number, replaced = false): RunEvent {
  return {
    type: 'copied',
    key,
    size: 10,
    verifiedBy: 'md5',
    parts: 1,
    resumedParts: 0,
    resumedBytes: 0,
    elapsedMs: 5,
    sourceMtimeMs,
    replaced,
  };
}

export function failed(key: string): RunEvent {
  return {
    type: 'failed',
    key,
    size: 10,
    class: 'person',
    code: 'access-denied',
    message: 'AccessDenied',
    attempts: 1,
  };
}

export function end(outcome: Outcome = 'complete', summary: Partial<Summary> = {}, message = ''): RunEvent {
  const error = message === '' ? undefined : { code: 'network', message };
  return { type: 'end', summary: { ...SUMMARY, ...summary }, outcome, error };
}
