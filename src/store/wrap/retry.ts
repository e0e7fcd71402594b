import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectStore, Pace } from '../port.js';
import { BACKOFF, backoffMs } from './backoff.js';
import { type Call, InterceptedStore } from './intercept.js';
import type { RequestKind } from './kinds.js';
import { type Sleep, sleep } from './time.js';

export interface RetryEvent {
  kind: RequestKind;
  key?: string;
  /** Of the attempt that failed, from 1; counted from the last one that made progress. */
  attempt: number;
  /** Until the next attempt. */
  delayMs: number;
  error: XsyncError;
}

/** Whether a service has ever answered. One object serves every wrapper over the same service. */
export interface Heard {
  answered: boolean;
}

export interface RetryOptions {
  /** Attempts in a row without progress before the error is let through (--low-level-retries). Default 10. */
  attempts?: number;
  /** As many at most while the service has never answered: a slip in the endpoint must not take minutes. Default 4. */
  firstAttempts?: number;
  /** Shared by the wrappers of several runs over one store, so that each knows what the others heard. */
  heard?: Heard;
  /** The first wait is at most this long, and each further one at most twice as long as the one before. Default 200. */
  baseMs?: number;
  /** No wait is longer, unless the service asks for it. Default 20,000. */
  capMs?: number;
  onRetry?: (event: RetryEvent) => void;
  sleep?: Sleep;
  /** Uniform in [0, 1). */
  random?: () => number;
}

/** Faults that the same call cannot mend: the object starts again, or its bytes are read anew. */
const NEEDS_MORE = ['aborted', 'source-changed', 'checksum-mismatch'] as const;

/**
 * Faults of a completion after which the service cannot have done it. After any other the parts may already be the
 * object, and the caller HEADs before it does anything else.
 */
const NOT_COMPLETED = ['throttled', 'clock-skew', 'unreachable'] as const;

/**
 * A store that tries again after faults of class `temporary`, waiting between them as `backoffMs` says.
 *
 * An attempt that moved bytes beyond all earlier ones starts the count anew, so a bad line that gets further each
 * time is never given up. The caller's pace sees each byte once, however often it is moved: it measures what gets
 * through. A service that has not answered once is given up sooner. Never repeated: `aborted`; `source-changed` and
 * `checksum-mismatch`, where the object is read again; ambiguous completions; the start of an upload, which might leave
 * a second one that nobody knows. The wrapper holds no other state: several may wrap one store, each with its own
 * `onRetry`.
 */
export function retry(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  const settings = { attempts: 10, firstAttempts: 4, heard: { answered: false }, sleep, ...BACKOFF, ...options };
  const { heard } = settings;

  return new InterceptedStore(store, async (call, run) => {
    const attempts = new Attempts(call.pace);
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await run(attempts.pace);
        heard.answered = true;
        return result;
      } catch (error) {
        heard.answered ||= isXsyncError(error) && (error.status !== undefined || !isXsyncError(error, ...NO_ANSWER));
        if (attempts.endAttempt()) attempt = 1;
        if (!mayRepeat(call, error) || attempt >= settings.attempts) throw error;
        if (!heard.answered && attempt >= settings.firstAttempts) throw neverAnswered(error);
        const delayMs = backoffMs(attempt, error, settings);
        settings.onRetry?.({ kind: call.kind, key: call.key, attempt, delayMs, error });
        await settings.sleep(delayMs, call.signal);
      }
    }
  });
}

/** Faults in which nothing was heard of the service. */
const NO_ANSWER = ['unreachable', 'network', 'timeout', 'aborted'] as const;

/** A connection that always breaks is most often one to the wrong port, or http where https is spoken. */
function neverAnswered(error: XsyncError): XsyncError {
  if (error.remedy !== undefined) return error;
  const { code, message, subject } = error;
  const remedy = 'Check the endpoint: its host, its port, and whether it is http or https.';
  return new XsyncError(code, message, { subject, remedy, class: error.class, cause: error });
}

function mayRepeat(call: Call, error: unknown): error is XsyncError {
  if (!isXsyncError(error) || error.class !== 'temporary' || call.signal?.aborted) return false;
  if (isXsyncError(error, ...NEEDS_MORE)) return false;
  if (call.kind === 'createUpload') return false;
  return call.kind !== 'completeUpload' || isXsyncError(error, ...NOT_COMPLETED);
}

/** How far the attempts of one call got. */
class Attempts {
  readonly #callers: Pace | undefined;
  /** Bytes of the attempt that got furthest, the running one left out. */
  #best = 0;
  #moved = 0;

  constructor(callers: Pace | undefined) {
    this.#callers = callers;
  }

  readonly pace: Pace = (bytes) => {
    const seen = Math.max(this.#best, this.#moved);
    this.#moved += bytes;
    return this.#moved > seen ? this.#callers?.(this.#moved - seen) : undefined;
  };

  /** True when the attempt that just ended got further than all before. */
  endAttempt(): boolean {
    const further = this.#moved > this.#best;
    this.#best = Math.max(this.#best, this.#moved);
    this.#moved = 0;
    return further;
  }
}
