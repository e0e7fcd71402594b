/** Tests: test/feed/sqs.test.ts */
import { type ErrorCode, isXsyncError, XsyncError } from '../model/error.js';

/** Error names of the JSON protocol of SQS and of its older query protocol. */
const REFUSALS: readonly (readonly [RegExp, ErrorCode, string, string])[] = [
  [
    /QueueDoesNotExist|NonExistentQueue|InvalidAddress/,
    'config',
    'the queue does not exist',
    'check region, account and name, or get the URL from `aws sqs get-queue-url`',
  ],
  [
    /AccessDenied|OverLimit|Kms/,
    'access-denied',
    'access is denied',
    'allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue',
  ],
  [/Expired/, 'expired-credentials', 'the credentials have expired', 'sign in again'],
  [
    /Credential|InvalidClientTokenId|UnrecognizedClient|Signature|InvalidSecurity|MissingAuthentication|TokenProvider/,
    'bad-credentials',
    'there are no valid credentials',
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: queues do not use a remote's credentials",
  ],
];

/** Translates an error of the SDK. */
export function explain(error: unknown, queue: string): XsyncError {
  // From the credential chain, or about a proxy.
  if (isXsyncError(error)) return prefixed(error, queue);
  const { name = '', message = String(error) } = error instanceof Error ? error : {};
  const [, code, why, remedy] = REFUSALS.find(([pattern]) => pattern.test(name)) ?? [];
  if (code === undefined) {
    return new XsyncError('network', `${queue}: ${message || name}`, { subject: queue, cause: error });
  }
  const text = `${queue}: ${why} (${name}); ${remedy}`;
  return new XsyncError(code, text, { subject: queue, remedy, serviceCode: name, cause: error });
}

function prefixed(cause: XsyncError, queue: string): XsyncError {
  const { code, message, remedy, class: kind } = cause;
  return new XsyncError(code, `${queue}: ${message}`, { subject: queue, remedy, class: kind, cause });
}

/** True if retrying does not help until the user changes something. */
export function isSettledByPerson(error: XsyncError): boolean {
  return isXsyncError(error) && error.class === 'person';
}

export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof Error && error.name === 'AbortError');
}
