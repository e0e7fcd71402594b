import type { StorageCore } from './core.js';
import type { RequestKind } from './kinds.js';
import type { LogEntry } from './log.js';
import type { Protocol } from './model.js';

/**
 * Where a request is hurt: `before` anything is done; in its `request` body; `after` it took effect, with no answer;
 * in the body of its `response`. A request or an answer without a body has no such middle, and passes.
 */
export type Moment = 'before' | 'request' | 'after' | 'response';

export type Fault =
  /** The connection is reset (RST). `afterBytes` of the body for `request` and `response`; half of it when absent. */
  | { kind: 'reset'; at: Moment; afterBytes?: number }
  /** Nothing more is read or sent and the connection stays open, until the client gives up. */
  | { kind: 'stall'; at: Moment; afterBytes?: number }
  /**
   * Only `bytes` of the body are sent (half when absent), then the connection closes. `clean`: Content-Length agrees
   * with the short body, so that HTTP looks right.
   */
  | { kind: 'truncate'; bytes?: number; clean?: boolean }
  /** A bit of the answer's body, or of what is stored, is turned over; the middle byte when `offset` is absent. */
  | { kind: 'flip-bit'; where: 'response' | 'stored'; offset?: number }
  /** The checksum headers of the answer are wrong. */
  | { kind: 'wrong-checksum' }
  /** An error instead of the answer; with `effect` the request was carried out all the same. */
  | {
      kind: 'status';
      status: number;
      code?: string;
      message?: string;
      effect?: boolean;
      /** Seconds, sent as Retry-After. */
      retryAfter?: number;
      /** Sent as x-oss-qos-delay-time. */
      qosDelayMs?: number;
    }
  /** Waits before it answers; paces both bodies. */
  | { kind: 'slow'; delayMs?: number; bytesPerSecond?: number }
  | { kind: 'expired-credentials' }
  /** This one request sees the server's clock so many milliseconds ahead. */
  | { kind: 'clock-skew'; ms: number }
  /** The object is deleted just before the request is carried out. */
  | { kind: 'vanish' }
  /** The object's bytes are replaced just before the request is carried out; the same size with other bytes if absent. */
  | { kind: 'change'; bytes?: Uint8Array | string }
  /** A listing page whose entries come in reverse. */
  | { kind: 'unordered-list' }
  /** An XML answer that ends in its middle, with a Content-Length that agrees. */
  | { kind: 'truncated-xml' }
  /** Anything else: runs after the request is authenticated and before it is carried out. */
  | { kind: 'call'; run: (core: StorageCore, request: LogEntry) => void | Promise<void> };

export interface FaultMatch {
  kind?: RequestKind | readonly RequestKind[];
  protocol?: Protocol;
  bucket?: string;
  key?: string | RegExp;
  partNumber?: number;
  /** Starts with the nth request that matches the rest, counted from 1; only that one unless `times` says more. */
  nth?: number;
  /** At most so many requests; all of them when neither this nor `nth` is given. */
  times?: number;
  /** Hits only this share of the matching requests, drawn from `seed`, so that a run can be repeated. */
  probability?: number;
  seed?: number;
}

interface Rule {
  match: FaultMatch;
  fault: Fault;
  seen: number;
  random: () => number;
}

/** What goes wrong, and when. Several rules may hit one request. */
export class FaultPlan {
  #rules: Rule[] = [];

  /** Returns a function that takes the rule out again. */
  add({ match = {}, fault }: { match?: FaultMatch; fault: Fault }): () => void {
    const rule: Rule = { match, fault, seen: 0, random: seeded(match.seed ?? 1) };
    this.#rules.push(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /** The faults that hit this request; counts it. */
  take(request: LogEntry): Fault[] {
    return this.#rules.filter((rule) => hits(rule, request)).map((rule) => rule.fault);
  }
}

function hits(rule: Rule, request: LogEntry): boolean {
  const { kind, protocol, bucket, key, partNumber, nth, times, probability } = rule.match;
  const kinds = typeof kind === 'string' ? [kind] : kind;
  if (kinds && !kinds.includes(request.kind)) return false;
  if (protocol !== undefined && protocol !== request.protocol) return false;
  if (bucket !== undefined && bucket !== request.bucket) return false;
  if (key instanceof RegExp ? !key.test(request.key) : key !== undefined && key !== request.key) return false;
  if (partNumber !== undefined && partNumber !== request.partNumber) return false;
  if (probability !== undefined && rule.random() >= probability) return false;
  rule.seen++;
  const first = nth ?? 1;
  const count = times ?? (nth === undefined ? Number.POSITIVE_INFINITY : 1);
  return rule.seen >= first && rule.seen < first + count;
}

/** Mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
