/**
 * The only error type that crosses layers. Adapters translate the errors of their SDK or the operating system into it
 * once and keep the original as `cause`. Only the CLI maps it to an exit code.
 * Tests: test/cli/exit.test.ts
 */
import type { AttributeName } from './attributes.js';
import { surroundingFault } from './surroundings.js';

/**
 * What the user or a retry loop can do about an error:
 * - `temporary`: the same call may succeed later (5xx, throttling, resets, timeouts, checksum mismatch in flight);
 * - `permanent`: the same call will fail again (malformed key, object too large, precondition failed);
 * - `person`: the user must change something first (credentials, permissions, missing bucket, archived object).
 */
export type ErrorClass = 'temporary' | 'permanent' | 'person';

/** Stable, documented names; `--json` and the failed list show them. */
export type ErrorCode =
  | 'object-not-found'
  | 'bucket-not-found'
  | 'bucket-exists'
  | 'upload-not-found'
  | 'access-denied'
  | 'bad-credentials'
  | 'expired-credentials'
  | 'expired-url'
  | 'refused-url'
  | 'untrusted-host'
  | 'wrong-region'
  | 'wrong-endpoint'
  | 'clock-skew'
  | 'precondition-failed'
  | 'object-archived'
  | 'object-restoring'
  | 'unsupported-object'
  | 'key-not-representable'
  | 'object-too-large'
  | 'metadata-too-large'
  | 'attributes-lost'
  | 'attribute-refused'
  | 'checksum-mismatch'
  | 'source-changed'
  | 'truncated'
  | 'throttled'
  | 'server-error'
  | 'network'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'disk-full'
  | 'not-writable'
  | 'not-readable'
  | 'acceleration-disabled'
  | 'invalid-response'
  | 'unsupported'
  | 'config'
  | 'usage'
  | 'locked'
  | 'guard'
  | 'limit'
  | 'aborted'
  | 'internal';

const CLASS_OF: Record<ErrorCode, ErrorClass> = {
  'object-not-found': 'permanent',
  'bucket-not-found': 'person',
  'bucket-exists': 'person',
  'upload-not-found': 'permanent',
  'access-denied': 'person',
  'bad-credentials': 'person',
  'expired-credentials': 'person',
  'expired-url': 'permanent',
  'refused-url': 'permanent',
  'untrusted-host': 'person',
  'wrong-region': 'person',
  'wrong-endpoint': 'person',
  'clock-skew': 'temporary',
  'precondition-failed': 'permanent',
  'object-archived': 'person',
  'object-restoring': 'temporary',
  'unsupported-object': 'permanent',
  'key-not-representable': 'permanent',
  'object-too-large': 'permanent',
  'metadata-too-large': 'permanent',
  'attributes-lost': 'permanent',
  'attribute-refused': 'person',
  'checksum-mismatch': 'temporary',
  'source-changed': 'temporary',
  truncated: 'temporary',
  throttled: 'temporary',
  'server-error': 'temporary',
  network: 'temporary',
  unreachable: 'temporary',
  tls: 'person',
  timeout: 'temporary',
  'disk-full': 'person',
  'not-writable': 'person',
  'not-readable': 'person',
  'acceleration-disabled': 'person',
  'invalid-response': 'temporary',
  unsupported: 'permanent',
  config: 'person',
  usage: 'person',
  locked: 'temporary',
  guard: 'person',
  limit: 'permanent',
  aborted: 'temporary',
  internal: 'permanent',
};

const OF_THE_BUCKET: readonly ErrorCode[] = [
  'bucket-not-found',
  'bucket-exists',
  'bad-credentials',
  'expired-credentials',
  'wrong-region',
  'wrong-endpoint',
  'acceleration-disabled',
  'clock-skew',
];

/** Whether the error concerns the bucket or its account, so that the message names the bucket instead of the key. */
export function concernsBucket(code: ErrorCode): boolean {
  return OF_THE_BUCKET.includes(code);
}

export interface ErrorDetails {
  /** The key, bucket, host, file or option at fault. */
  subject?: string;
  /** One sentence that says what to do. */
  remedy?: string;
  /** HTTP status, if any. */
  status?: number;
  /** The service's own error code, such as `SlowDown`. */
  serviceCode?: string;
  /** The service's request ID, for its support. */
  requestId?: string;
  /** Wait requested by the service, in milliseconds (Retry-After, x-oss-qos-delay-time). */
  retryAfterMs?: number;
  /** Of `attribute-refused`: what the store does not take. */
  attribute?: AttributeName;
  /** Overrides the class that the code implies. */
  class?: ErrorClass;
  cause?: unknown;
}

export class XsyncError extends Error {
  override readonly name = 'XsyncError';
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly subject?: string;
  readonly remedy?: string;
  readonly status?: number;
  readonly serviceCode?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly attribute?: AttributeName;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.class = details.class ?? CLASS_OF[code];
    this.subject = details.subject;
    this.remedy = details.remedy;
    this.status = details.status;
    this.serviceCode = details.serviceCode;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.attribute = details.attribute;
  }
}

/** True if `error` is an XsyncError with one of the given codes (any code if none is given). */
export function isXsyncError(error: unknown, ...codes: ErrorCode[]): error is XsyncError {
  return error instanceof XsyncError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * True if a service refused a request without an error code. The response to a HEAD has no body, so a wrong key or an
 * expired token may be the cause. Another request returns the reason.
 */
export function isUnexplained(error: unknown): boolean {
  return isXsyncError(error) && error.status !== undefined && error.status < 500 && error.serviceCode === undefined;
}

/**
 * Converts anything thrown to an XsyncError. Faults of the surroundings (limits, disks, the installation) have a code of
 * their own. Any other error is a bug and becomes `internal`.
 */
export function toXsyncError(error: unknown): XsyncError {
  if (error instanceof XsyncError) return error;
  const fault = surroundingFault(error);
  if (fault) return new XsyncError(fault.code, fault.message, { remedy: fault.remedy, cause: error });
  return new XsyncError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
