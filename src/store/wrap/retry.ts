import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectStore, Pace, RequestKind } from '../port.js';
import { BACKOFF, backoffMs } from './backoff.js';
import { type Around, type Call, InterceptedStore } from './intercept.js';
import { type Sleep, sleep } from './time.js';

export interface RetryEvent {
  kind: RequestKind;
  key?: string;
  /** Number of the failed attempt, from 1; counted from the last one that made progress. */
  attempt: number;
  /** Time until the next attempt. */
  delayMs: number;
  error: XsyncError;
}

/** Whether a service has ever responded. All wrappers over the same service share one object. */
export interface Contact {
  answered: boolean;
}

export interface RetryOptions {
  /** Consecutive attempts without progress before the error is thrown (--low-level-retries). Default 10. */
  attempts?: number;
  /**
   * Limit while the service has never responded: a wrong endpoint must not take minutes to fail. Also the limit for
   * refusals that may or may not last (an unknown 4xx). Default 4.
   */
  firstAttempts?: number;
  /** Shared by the wrappers of several runs over one store. */
  contact?: Contact;
  /** Upper bound of the first wait; it doubles with each further one. Default 200. */
  baseMs?: number;
  /** Upper bound of every wait, unless the service requests a longer one. Default 20,000. */
  capMs?: number;
  onRetry?: (event: RetryEvent) => void;
  sleep?: Sleep;
  /** Uniform in [0, 1). */
  random?: () => number;
}

/** Errors that repeating the call cannot fix: the object is started again, or its bytes are read again. */
const NEEDS_MORE = ['aborted', 'source-changed', 'checksum-mismatch'] as const;

/**
 * Errors of a completion, or of another call that must be made once, after which the object cannot exist. After any other error it may exist, and the caller sends
 * a HEAD first.
 */
const NOT_COMPLETED = ['throttled', 'clock-skew', 'unreachable'] as const;

/**
 * A store that retries after errors of class `temporary`, with waits from `backoffMs`.
 *
 * An attempt that moved more bytes than all earlier ones resets the count, so a bad line that makes progress is never
 * given up. The caller's pace sees each byte once, even if it is moved several times. A service that has never
 * responded is given up sooner. Not retried: `aborted`; `source-changed` and `checksum-mismatch`, after which the
 * object is read again; ambiguous completions, and other calls that must be made once; the creation of an upload, which might leave a second, unknown one. The
 * wrapper holds no other state: several may wrap one store, each with its own `onRetry`.
 */
export function retry(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  return new InterceptedStore(store, retrying(options));
}

/** Repeats calls as `retry` does. */
export function retrying(options: RetryOptions = {}): Around {
  const settings = { attempts: 10, firstAttempts: 4, contact: { answered: false }, sleep, ...BACKOFF, ...options };
  const { contact } = settings;

  return async (call, run) => {
    const attempts = new Attempts(call.pace, call.continues === true);
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await run(attempts.pace);
        contact.answered = true;
        return result;
      } catch (error) {
        contact.answered ||= isAnswer(error);
        if (attempts.endAttempt()) attempt = 1;
        if (!mayRepeat(call, error) || attempt >= settings.attempts) throw error;
        if (isVague(error) && attempt >= settings.firstAttempts) throw error;
        if (!contact.answered && attempt >= settings.firstAttempts) throw neverAnswered(error);
        const delayMs = backoffMs(attempt, error, settings);
        settings.onRetry?.({ kind: call.kind, key: call.key, attempt, delayMs, error });
        await settings.sleep(delayMs, call.signal);
      }
    }
  };
}

/** Errors without a response of the service. A response that makes no sense may be that of a proxy. */
const NO_ANSWER = ['unreachable', 'network', 'timeout', 'aborted', 'invalid-response'] as const;

function isAnswer(error: unknown): boolean {
  if (!isXsyncError(error)) return false;
  const explained = error.code !== 'invalid-response' && error.status !== undefined;
  return explained || error.serviceCode !== undefined || !isXsyncError(error, ...NO_ANSWER);
}

/** Refusals of which nobody knows whether they last: codes and statuses that have no entry of their own. */
const VAGUE = ['invalid-response', 'server-error', 'access-denied'] as const;

function isVague(error: XsyncError): boolean {
  return isXsyncError(error, ...VAGUE) && error.status !== undefined && error.status >= 400 && error.status < 500;
}

/** A connection that always breaks usually goes to the wrong port, or uses http instead of https. */
function neverAnswered(error: XsyncError): XsyncError {
  if (error.remedy !== undefined) return error;
  const { code, message, subject } = error;
  const remedy = 'Check the host and port of the endpoint, and whether it uses http or https.';
  return new XsyncError(code, message, { subject, remedy, class: error.class, cause: error });
}

function mayRepeat(call: Call, error: unknown): error is XsyncError {
  if (!isXsyncError(error) || error.class !== 'temporary' || call.signal?.aborted) return false;
  if (isXsyncError(error, ...NEEDS_MORE)) return false;
  if (call.kind === 'createUpload') return false;
  const ambiguous = call.kind === 'completeUpload' || call.once === true;
  return !ambiguous || isXsyncError(error, ...NOT_COMPLETED);
}

/** Progress of the attempts of one call. */
class Attempts {
  readonly #callers: Pace | undefined;
  /** Bytes of the attempt that got furthest, without the current one. */
  #best = 0;
  #moved = 0;
  readonly #continues: boolean;

  /** @param continues each attempt begins where the one before it broke, so no byte is moved twice */
  constructor(callers: Pace | undefined, continues: boolean) {
    this.#callers = callers;
    this.#continues = continues;
  }

  readonly pace: Pace = (bytes) => {
    const seen = Math.max(this.#best, this.#moved);
    this.#moved += bytes;
    return this.#moved > seen ? this.#callers?.(this.#moved - seen) : undefined;
  };

  /** True if the attempt that just ended got further than all before it. */
  endAttempt(): boolean {
    const further = this.#moved > this.#best;
    if (!this.#continues) this.#best = Math.max(this.#best, this.#moved);
    this.#moved = 0;
    return further;
  }
}
