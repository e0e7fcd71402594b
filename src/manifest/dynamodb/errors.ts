/**
 * Errors of DynamoDB in xsync's words
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
 * Tests: test/manifest/dynamodb/open.test.ts
 */
import { type ErrorCode, isXsyncError, XsyncError } from '../../model/error.js';

const CREATE = 'Create it as "State" in docs/serverless.md says.';
const AGAIN = 'Create the table again as "State" in docs/serverless.md says.';

/** Error name, and what the message says; the first that fits. */
const REFUSALS: readonly (readonly [RegExp, RegExp, ErrorCode, string, string?])[] = [
  [/^ConditionalCheckFailed/, /./, 'precondition-failed', 'another write came first'],
  [/^ResourceNotFound/, /./, 'config', 'it does not exist', `Check name, region and account. ${CREATE}`],
  [/^Validation/, /index/i, 'config', 'it has no index named "queue" as the state needs it', AGAIN],
  [/^Validation/, /item size/i, 'limit', 'an item is larger than 400 KB'],
  [/^Validation/, /schema|key|type mismatch/i, 'config', 'it has other keys than pk and sk', AGAIN],
  [
    /^AccessDenied|^Kms/,
    /./,
    'access-denied',
    'access is denied',
    'Allow the actions of "State" in docs/serverless.md.',
  ],
  [/^Expired/, /./, 'expired-credentials', 'the credentials have expired', 'Sign in again.'],
  [
    /Credential|UnrecognizedClient|InvalidSignature|IncompleteSignature|MissingAuthentication|InvalidClientToken/,
    /./,
    'bad-credentials',
    'the credentials are not valid there',
    'Check them, and the region: keys of one partition (China, global, GovCloud) are unknown in another.',
  ],
  [PASSING(), /./, 'throttled', 'it has no capacity for this', 'Give the table more capacity, or on-demand billing.'],
];

/** What may succeed a moment later. The SDK repeats most of them, but not a conflict with a transaction. */
function PASSING(): RegExp {
  return /^(ProvisionedThroughputExceeded|Throttling|RequestLimitExceeded|TransactionConflict|LimitExceeded|InternalServerError|ServiceUnavailable)/;
}

export function isPassing(error: unknown): boolean {
  return error instanceof Error && PASSING().test(error.name);
}

export function explain(error: unknown, { table, region }: { table: string; region: string }): XsyncError {
  const subject = table;
  const where = `the DynamoDB table ${table} in ${region}`;
  if (isXsyncError(error)) {
    const { code, message, remedy, class: kind } = error;
    return new XsyncError(code, `${where}: ${message}`, { subject, remedy, class: kind, cause: error });
  }
  const { name = '', message = String(error) } = error instanceof Error ? error : {};
  const [, , code, why, remedy] =
    REFUSALS.find(([names, texts]) => names.test(name) && texts.test(message || '-')) ?? [];
  const said = message.replace(/\s+/g, ' ').slice(0, 300);
  if (code === undefined) return new XsyncError('network', `${where}: ${said || name}`, { subject, cause: error });
  const text = `${where}: ${why} (${name}${code === 'access-denied' ? `: ${said}` : ''})`;
  return new XsyncError(code, text, { subject, remedy, serviceCode: name, cause: error });
}
