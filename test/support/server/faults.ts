import type { StorageCore } from './core.js';
import type { RequestKind } from './kinds.js';
import type { LogEntry } from './log.js';
import type { Protocol } from './model.js';

/**
 * When a fault occurs: `before` any effect; in the `request` body; `after` the effect, without a response; in the
 * `response` body. A fault in a body does not occur when there is no body.
 */
export type Moment = 'before' | 'request' | 'after' | 'response';

export type Fault =
  /** The connection is reset (RST), for `request` and `response` after `afterBytes` of the body (default half). */
  | { kind: 'reset'; at: Moment; afterBytes?: number }
  /** Nothing more is read or sent, and the connection stays open until the client ends it. */
  | { kind: 'stall'; at: Moment; afterBytes?: number }
  /**
   * Only `bytes` of the body are sent (default half), then the connection closes. `clean`: Content-Length matches the
   * short body, so that the response is valid HTTP.
   */
  | { kind: 'truncate'; bytes?: number; clean?: boolean }
  /** A bit of the response's body or of the stored data is flipped, in the byte at `offset` (default the middle). */
  | { kind: 'flip-bit'; where: 'response' | 'stored'; offset?: number }
  /** The checksum headers of the response are wrong. */
  | { kind: 'wrong-checksum' }
  /** An error instead of the response. With `effect`, the request is executed anyway. */
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
  /** Delays the response and limits the rate of both bodies. */
  | { kind: 'slow'; delayMs?: number; bytesPerSecond?: number }
  | { kind: 'expired-credentials' }
  /** For this request, the server's clock is ahead by `ms`. */
  | { kind: 'clock-skew'; ms: number }
  /** The object is deleted just before the request is executed. */
  | { kind: 'vanish' }
  /** The object is replaced just before the request is executed; default: different bytes of the same size. */
  | { kind: 'change'; bytes?: Uint8Array | string }
  /** A listing page whose entries are reversed. */
  | { kind: 'unordered-list' }
  /** An XML response that is cut in half, with a matching Content-Length. */
  | { kind: 'truncated-xml' }
  /** A custom fault: runs after the request is authenticated and before it is executed. */
  | { kind: 'call'; run: (core: StorageCore, request: LogEntry) => void | Promise<void> };

export interface FaultMatch {
  kind?: RequestKind | readonly RequestKind[];
  protocol?: Protocol;
  bucket?: string;
  key?: string | RegExp;
  partNumber?: number;
  /** Starts with the nth matching request, counted from 1; only this one unless `times` is set. */
  nth?: number;
  /** Maximum number of requests; default all, or 1 with `nth`. */
  times?: number;
  /** Affects only this share of the matching requests, drawn from `seed`, so that a run is reproducible. */
  probability?: number;
  seed?: number;
}

interface Rule {
  match: FaultMatch;
  fault: Fault;
  seen: number;
  random: () => number;
}

/** The faults to inject. Several rules may affect one request. */
export class FaultPlan {
  #rules: Rule[] = [];

  /** Returns a function that removes the rule. */
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

  /** Counts the request and returns its faults. */
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
