/**
 * What a service refuses of a write's headers, as far as S3 and OSS have it in common: such a write would be refused again.
 * Tests: test/store/refused.test.ts
 */
import type { AttributeName } from '../../model/attributes.js';
import type { ErrorClass, ErrorCode } from '../../model/error.js';

export interface RefusedArgument {
  code: ErrorCode;
  class?: ErrorClass;
  remedy?: string;
  attribute?: AttributeName;
}

const STORAGE_CLASS = 'Check --storage-class, and storage_class of the remote: the service does not have this class.';
const ENCRYPTION = 'Check --sse, and server_side_encryption and sse_kms_key_id of the remote.';

const CUSTOMER_KEY = 'Check that sse_c_key_file of the remote has the key that the object was written with.';

/** By the name of the header, or by what the message says of it. */
const BY_HEADER: readonly (readonly [RegExp, RefusedArgument])[] = [
  [/storage[- ]?class/i, { code: 'config', attribute: 'storage-class', remedy: STORAGE_CLASS }],
  [
    /customer.*key|secret key|md5 hash of the key/i,
    { code: 'invalid-response', class: 'person', remedy: CUSTOMER_KEY },
  ],
  [/encryption|\bsse\b|\bkms\b/i, { code: 'invalid-response', class: 'person', remedy: ENCRYPTION }],
  [/worm|object[- ]?lock|legal[- ]?hold|retain until|retention/i, { code: 'attribute-refused', attribute: 'lock' }],
  [/\bacl\b|canned/i, { code: 'attribute-refused', attribute: 'acl', remedy: 'Check the ACL, or copy without --acl.' }],
  [
    /tagging|\btag\b/i,
    { code: 'attribute-refused', attribute: 'tags', remedy: 'Change the tags, or copy without --tags.' },
  ],
  [/redirect/i, { code: 'attribute-refused', attribute: 'redirect', remedy: 'Copy with --no-metadata.' }],
];

/** Codes that have a meaning of their own. */
const BY_CODE: Readonly<Record<string, string>> = {
  InvalidStorageClass: 'storage class',
  InvalidEncryptionAlgorithmError: 'encryption',
  InvalidEncryptionRequest: 'encryption',
  InvalidEncryptionMethod: 'encryption',
  MalformedACLError: 'acl',
  InvalidTag: 'tagging',
  ObjectLockConfigurationNotFoundError: 'object lock',
  InvalidRetentionPeriod: 'retention',
  InvalidRedirectLocation: 'redirect',
};

/**
 * The meaning of a refusal; undefined for one that is not about a header's value.
 * @param argument the name of the argument, if the service gives it. @param sent the headers of the request
 */
export function refusedArgument(
  serviceCode: string | undefined,
  argument: string | undefined,
  message = '',
  sent: Readonly<Record<string, unknown>> = {},
): RefusedArgument | undefined {
  if (serviceCode === undefined) return undefined;
  const subject = Object.hasOwn(BY_CODE, serviceCode) ? BY_CODE[serviceCode] : undefined;
  if (subject === undefined && serviceCode !== 'InvalidArgument') return undefined;
  const text = subject ?? argument ?? message;
  const [, meaning] = BY_HEADER.find(([pattern]) => pattern.test(text)) ?? [];
  if (meaning) return meaning;
  // Ceph says no more: https://github.com/ceph/ceph/blob/main/src/rgw/rgw_rest_s3.cc.
  const hasClass = argument === undefined && sent['x-amz-storage-class'] !== undefined;
  const guess = { attribute: 'storage-class', remedy: STORAGE_CLASS } as const;
  return { code: 'invalid-response', class: 'permanent', ...(hasClass && guess) };
}
