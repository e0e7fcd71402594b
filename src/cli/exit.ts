/** Exit codes: rclone's, with 130 for Ctrl-C. `docs/commands.md` shows this table. */

import type { CheckSummary } from '../engine/check/findings.js';
import type { RepairSummary } from '../engine/check/repair.js';
import type { Summary } from '../engine/events.js';
import type { ErrorCode, XsyncError } from '../model/error.js';

export const EXIT = {
  ok: 0,
  other: 1,
  usage: 2,
  directoryNotFound: 3,
  objectNotFound: 4,
  temporary: 5,
  objectsFailed: 6,
  fatal: 7,
  maxTransfer: 8,
  nothingTransferred: 9,
  maxDuration: 10,
  interrupted: 130,
  /** 128 + SIGPIPE: the reader of standard output closed it. */
  outputClosed: 141,
} as const;

/** The exit code of a completed run. Failed objects take precedence over a limit that was reached. */
export function exitOfSummary(summary: Summary, options: { errorOnNoTransfer: boolean }): number {
  if (summary.stopped === 'interrupted') return EXIT.interrupted;
  // Objects that wait for a retry are missing at the destination too. Those that were given up do not count.
  const { failed, held } = summary;
  const objects = failed.objects + held.objects - held.dropped;
  const temporary = (failed.byClass.temporary ?? 0) + (held.byClass.temporary ?? 0);
  if (objects > 0) return temporary >= objects ? EXIT.temporary : EXIT.objectsFailed;
  if (summary.stopped === 'max-transfer' || summary.stopped === 'max-cost') return EXIT.maxTransfer;
  if (summary.stopped === 'max-duration') return EXIT.maxDuration;
  // Deletes that were held back are left to the next run, and so is what a wrong listing may have left out.
  if (summary.deleted.left > 0 || summary.oddity !== undefined) return EXIT.temporary;
  return options.errorOnNoTransfer && summary.copied.objects === 0 ? EXIT.nothingTransferred : EXIT.ok;
}

/** The harder to live with, the earlier: what needs a person comes before what another run may settle. */
const HARDEST: readonly number[] = [
  ...[EXIT.interrupted, EXIT.fatal, EXIT.usage, EXIT.directoryNotFound, EXIT.objectNotFound, EXIT.other],
  ...[EXIT.objectsFailed, EXIT.temporary, EXIT.maxTransfer, EXIT.maxDuration, EXIT.nothingTransferred],
];

/** The exit code of several runs: the worst of them. */
export function worstExit(codes: readonly number[]): number {
  return HARDEST.find((code) => codes.includes(code)) ?? EXIT.ok;
}

/** The exit code of a completed check. A difference takes precedence over an error, unless it was repaired. */
export function exitOfCheck(
  { differ, missingOnSrc, missingOnDst, errors, stopped }: CheckSummary,
  repaired: RepairSummary | undefined,
): number {
  if ((stopped ?? repaired?.stopped) === 'interrupted') return EXIT.interrupted;
  const wrong = differ.objects + missingOnDst.objects - (repaired?.copied.objects ?? 0);
  if (missingOnSrc.objects + wrong > 0) return EXIT.other;
  if (errors.objects === 0) return EXIT.ok;
  return (errors.byClass.temporary ?? 0) >= errors.objects ? EXIT.temporary : EXIT.objectsFailed;
}

const OF_CODE: Record<ErrorCode, number> = {
  'object-not-found': EXIT.objectNotFound,
  'bucket-not-found': EXIT.directoryNotFound,
  'bucket-exists': EXIT.fatal,
  'upload-not-found': EXIT.other,
  'access-denied': EXIT.fatal,
  'bad-credentials': EXIT.fatal,
  'expired-credentials': EXIT.fatal,
  'expired-url': EXIT.objectsFailed,
  'refused-url': EXIT.objectsFailed,
  'untrusted-host': EXIT.objectsFailed,
  'wrong-region': EXIT.fatal,
  'wrong-endpoint': EXIT.fatal,
  'clock-skew': EXIT.temporary,
  'precondition-failed': EXIT.objectsFailed,
  'object-archived': EXIT.objectsFailed,
  'object-restoring': EXIT.temporary,
  'unsupported-object': EXIT.objectsFailed,
  'key-not-representable': EXIT.objectsFailed,
  'object-too-large': EXIT.objectsFailed,
  'attributes-lost': EXIT.objectsFailed,
  'attribute-refused': EXIT.objectsFailed,
  'metadata-too-large': EXIT.objectsFailed,
  'checksum-mismatch': EXIT.temporary,
  'source-changed': EXIT.temporary,
  truncated: EXIT.temporary,
  throttled: EXIT.temporary,
  'server-error': EXIT.temporary,
  network: EXIT.temporary,
  unreachable: EXIT.temporary,
  tls: EXIT.fatal,
  timeout: EXIT.temporary,
  'disk-full': EXIT.fatal,
  'not-writable': EXIT.fatal,
  'not-readable': EXIT.fatal,
  'acceleration-disabled': EXIT.fatal,
  'invalid-response': EXIT.temporary,
  unsupported: EXIT.fatal,
  config: EXIT.fatal,
  usage: EXIT.usage,
  locked: EXIT.temporary,
  guard: EXIT.fatal,
  limit: EXIT.maxTransfer,
  aborted: EXIT.interrupted,
  internal: EXIT.other,
};

/** The exit code of a run that ended with an error. */
export function exitOfError(error: XsyncError): number {
  const exit = OF_CODE[error.code];
  // 5 means that a retry may help, which a permanent error rules out.
  return exit === EXIT.temporary && error.class === 'permanent' ? EXIT.other : exit;
}
