/** Translates the error responses of S3 services into XsyncErrors with remedies. */
import { concernsBucket, type ErrorCode, type ErrorDetails, XsyncError } from '../../model/error.js';
import { type RefusedArgument, refusedArgument } from '../http/refused-argument.js';
import { retryAfterMs } from '../http/retry-after.js';
import { saidTo, unknownCode } from '../http/said.js';
import { isWebPage, readXml, WEB_PAGE } from '../http/xml.js';
import { UNSEALED } from './customer-key.js';
import { CUSTOMER_ALGORITHM } from './headers.js';

export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Needed to interpret a 404 without a body. */
  bucket: string;
  /** The bucket's name in messages; default `bucket NAME`. */
  place?: string;
  key?: string;
  /** The call named an upload and no other object that could be missing. */
  upload?: boolean;
  region: string;
  /** Headers of the request, whose secrets the service may repeat. */
  sent?: Readonly<Record<string, unknown>>;
}

const REGION = 'Set the remote\'s "region" to';
const CHANGED = 'The object changed while it was read: run again when nothing writes to it.';
const DAMAGED =
  'The data changed in transit or at the source: run again. If it persists, compare the source with its checksum.';
const SLOWER = 'Send fewer requests per second: set --tpslimit.';
const CONFLICT = 'Remove the other one, or exclude this one; sync removes what the source no longer has.';
const FEWER_PARTS =
  'Set max_parts of this remote to the number of parts that the store allows, or set a larger --part-size.';
const NOT_EMPTY =
  'Delete its objects with xsync delete, its unfinished uploads with xsync cleanup, and old versions at the service.';
const LOCKED = 'Wait until the retention of this version ends, or remove its legal hold.';
const SIGNATURE = 'Check secret_access_key, and check that no proxy changes the headers.';

/** Error codes of AWS and of compatible stores, each with xsync's code and a remedy. */
const CODES: Record<string, readonly [ErrorCode, string?]> = {
  NoSuchBucket: ['bucket-not-found', 'Check the bucket name and the endpoint, or create the bucket.'],
  NoSuchKey: ['object-not-found'],
  NoSuchVersion: ['object-not-found'],
  NoSuchUpload: ['upload-not-found'],
  AccessDenied: ['access-denied', 'Check that the credentials allow this action on this bucket and key.'],
  AllAccessDisabled: ['access-denied'],
  AccountProblem: ['access-denied', 'Contact the provider about this account.'],
  InvalidAccessKeyId: ['bad-credentials', 'Check access_key_id, and that it belongs to this provider and partition.'],
  SignatureDoesNotMatch: ['bad-credentials', SIGNATURE],
  InvalidToken: ['bad-credentials', 'Check session_token: it belongs to one access key only.'],
  InvalidClientTokenId: ['bad-credentials', 'Check access_key_id.'],
  ExpiredToken: ['expired-credentials', 'Renew the temporary credentials (for example: aws sso login).'],
  TokenRefreshRequired: ['expired-credentials', 'Renew the temporary credentials.'],
  RequestTimeTooSkewed: ['clock-skew', "Set this machine's clock."],
  RequestExpired: ['clock-skew', "Set this machine's clock."],
  AuthorizationHeaderMalformed: ['wrong-region'],
  PermanentRedirect: ['wrong-region'],
  TemporaryRedirect: ['wrong-region'],
  Redirect: ['wrong-region'],
  IllegalLocationConstraintException: ['wrong-region'],
  InvalidLocationConstraint: ['wrong-region', 'Check that the region exists at this endpoint.'],
  InvalidPart: ['precondition-failed', 'A part is missing or was replaced: list the parts again.'],
  InvalidPartOrder: ['precondition-failed'],
  EntityTooSmall: ['precondition-failed', "A part that is not the last is below the store's minimum."],
  PreconditionFailed: ['precondition-failed', CHANGED],
  ConditionalRequestConflict: ['precondition-failed', undefined],
  InvalidRange: ['truncated'],
  InvalidObjectState: ['object-archived', 'Restore the object at the service first, or exclude it.'],
  EntityTooLarge: ['object-too-large'],
  TooManyParts: ['object-too-large', FEWER_PARTS],
  MetadataTooLarge: ['metadata-too-large', 'Shorten the metadata, or copy without it.'],
  KeyTooLongError: ['key-not-representable'],
  InvalidURI: ['key-not-representable'],
  // MinIO on a file system: https://github.com/minio/minio/blob/master/cmd/api-errors.go
  XMinioParentIsObject: ['key-not-representable', CONFLICT],
  XMinioObjectExistsAsDirectory: ['key-not-representable', CONFLICT],
  BadDigest: ['checksum-mismatch', DAMAGED],
  XAmzContentSHA256Mismatch: ['checksum-mismatch', DAMAGED],
  XAmzContentChecksumMismatch: ['checksum-mismatch', DAMAGED],
  IncompleteBody: ['truncated'],
  RequestTimeout: ['timeout'],
  SlowDown: ['throttled', SLOWER],
  ServiceUnavailable: ['throttled', SLOWER],
  Throttling: ['throttled'],
  ThrottlingException: ['throttled'],
  RequestLimitExceeded: ['throttled', SLOWER],
  TooManyRequests: ['throttled', SLOWER],
  InternalError: ['server-error'],
  OperationAborted: ['server-error'],
  BucketAlreadyExists: ['bucket-exists', 'Bucket names are globally unique: choose another.'],
  BucketNotEmpty: ['guard', NOT_EMPTY],
  InvalidBucketName: ['config', 'Check the bucket name.'],
  AccessControlListNotSupported: ['attribute-refused', 'Enable ACLs on the bucket, or copy without --acl.'],
  NotImplemented: ['unsupported'],
  MethodNotAllowed: ['unsupported'],
};

function entryOf(serviceCode: string | undefined): readonly [ErrorCode, string?] | undefined {
  return serviceCode !== undefined && Object.hasOwn(CODES, serviceCode) ? CODES[serviceCode] : undefined;
}

/** Translates a response that is not 2xx, or a 200 whose body is an `<Error>`. */
export function refusalOf(refusal: Refusal): XsyncError {
  const { status, key, bucket } = refusal;
  const place = placeOf(refusal);
  const say = saidTo(refusal.sent ?? {});
  const answer = readError(refusal.body, say);
  const headers = clean(refusal.headers, say);
  const serviceCode = answer.Code;
  const message = answer.Message;
  const refused = refusedArgument(serviceCode, answer.ArgumentName, message, refusal.sent);
  const details: ErrorDetails = {
    subject: key ?? bucket,
    status,
    serviceCode,
    requestId: headers['x-amz-request-id'] ?? answer.RequestId,
    retryAfterMs: retryAfterMs(headers),
    attribute: refusedAttribute(serviceCode, message),
  };
  const region = answer.Region ?? headers['x-amz-bucket-region'];
  const [code, remedy] = meaningOf({ ...refusal, headers }, { serviceCode, message, refused }, region);
  if (code === refused?.code) Object.assign(details, { class: refused.class, attribute: refused.attribute });
  if (code === 'wrong-region') return wrongRegion(refusal, region, answer.Endpoint, details);
  if (code === 'acceleration-disabled') {
    details.remedy = 'Enable transfer acceleration on the bucket, or set accelerate: off.';
  } else details.remedy = remedy;
  const name = key === undefined || concernsBucket(code) ? place : key;
  const page = serviceCode === undefined && isWebPage(refusal.body);
  if (page) details.remedy = WEB_PAGE.remedy;
  // Nobody knows how long a refusal without a known reason lasts. The known ones need a person.
  if (code === 'access-denied' && entryOf(serviceCode) === undefined) details.class = 'temporary';
  const what = page ? `${WEB_PAGE.what} (HTTP status ${status})` : said(code, status, serviceCode, message);
  return new XsyncError(code, `${name}: ${what}`, details);
}

/** What the store does not take of the object, if that is why it refused it. */
function refusedAttribute(serviceCode: string | undefined, message = ''): 'acl' | 'lock' | undefined {
  if (serviceCode === 'AccessControlListNotSupported') return 'acl';
  return serviceCode === 'InvalidRequest' && /object lock/i.test(message) ? 'lock' : undefined;
}

function placeOf({ place, bucket }: Refusal): string {
  return place ?? `bucket ${bucket}`;
}

/** The service's message. The response to a HEAD has none. */
function said(code: ErrorCode, status: number, serviceCode?: string, message?: string): string {
  if (serviceCode !== undefined) return message ? `${message} (${serviceCode})` : serviceCode;
  return code === 'object-not-found' ? 'there is no such object' : `the service refused it (HTTP status ${status})`;
}

function meaningOf(
  { status, headers, key, upload, region, sent }: Refusal,
  { serviceCode, message, refused }: { serviceCode?: string; message?: string; refused?: RefusedArgument },
  actualRegion: string | undefined,
): readonly [ErrorCode, string?] {
  // A version that is a delete marker.
  if (status === 405 && headers['x-amz-delete-marker'] === 'true') return ['object-not-found'];
  if (serviceCode === 'InvalidRequest' && /accelerat/i.test(message ?? '')) return ['acceleration-disabled'];
  if (serviceCode === 'InvalidArgument' && /key.*(too long|length)/i.test(message ?? ''))
    return ['key-not-representable'];
  if (serviceCode === 'InvalidArgument' && /part ?number/i.test(message ?? ''))
    return ['object-too-large', FEWER_PARTS];
  // RGW returns NoSuchKey for an upload that no longer exists.
  if (serviceCode === 'NoSuchKey' && upload) return ['upload-not-found'];
  const sealing = sealingOf(sent, serviceCode, message ?? '');
  // An upload that was started with another key, or without one, cannot be continued.
  if (sealing) return upload && sealing[0] === 'unsupported-object' ? ['invalid-response', OTHER_UPLOAD] : sealing;
  // S3 answers so for some time after a bucket was created. The next object may be answered elsewhere.
  if ((status === 307 || status === 308) && (actualRegion === undefined || actualRegion === region))
    return ['server-error', 'Run again later. If it persists, check the endpoint: it redirects to another service.'];
  if (refusedAttribute(serviceCode, message) === 'lock')
    return ['attribute-refused', 'Enable Object Lock on the bucket, or copy without --lock.'];
  // AWS and Ceph deny it; MinIO calls it an invalid request.
  if (/protected by object lock|forbidden by object lock|WORM protected/i.test(message ?? ''))
    return ['access-denied', LOCKED];
  const known = entryOf(serviceCode) ?? (refused && ([refused.code, refused.remedy] as const));
  if (known) return known;
  const unknown = unknownCode(status, serviceCode);
  if (unknown) return [unknown, unknown === 'throttled' ? SLOWER : undefined];
  // The response to a HEAD has no body. AWS reports a wrong region in a header, with 301, 307 or 400.
  if (actualRegion !== undefined && actualRegion !== region && (status < 400 || status === 400))
    return ['wrong-region'];
  if (status >= 300 && status < 400) return ['wrong-region'];
  if (status === 401) return ['bad-credentials', 'Check access_key_id and secret_access_key.'];
  if (status === 403) return CODES.AccessDenied ?? ['access-denied'];
  if (status === 404)
    return upload ? ['upload-not-found'] : [key === undefined ? 'bucket-not-found' : 'object-not-found'];
  if (status === 412) return ['precondition-failed'];
  if (status === 413) return ['object-too-large'];
  if (status === 416) return ['truncated'];
  if (status === 408) return ['timeout'];
  if (status === 429 || status === 503) return ['throttled', SLOWER];
  if (status === 501) return ['unsupported'];
  // A 200 with an <Error>: the service failed after it sent the status. A retry may succeed.
  return status >= 500 || status < 300 ? ['server-error'] : ['invalid-response'];
}

const NEEDS_KEY =
  'Set sse_c_key_file of the remote to the file with the key of the object (SSE-C), or exclude the object.';
const OTHER_UPLOAD = 'Run again: the upload was started with another key, or without one, and starts anew.';
const WRONG_KEY =
  'Check that sse_c_key_file has the key that the object was written with, that the bucket allows SSE-C, and that the credentials allow this action.';

/** Of encryption with keys of the customer. */
function sealingOf(
  sent: Refusal['sent'] = {},
  serviceCode: string | undefined,
  message: string,
): readonly [ErrorCode, string] | undefined {
  const sealed = sent[CUSTOMER_ALGORITHM] !== undefined;
  if (sealed && serviceCode === 'AccessDenied') return ['access-denied', WRONG_KEY];
  if (serviceCode !== 'InvalidRequest' && serviceCode !== 'InvalidArgument') return undefined;
  if (UNSEALED.test(message)) return ['unsupported-object', 'Read the object by a remote without sse_c_key_file.'];
  if (/secure connection/i.test(message))
    return ['config', 'Use an https endpoint: the service takes keys over no other.'];
  if (sealed && /md5 hash of the key|secret key/i.test(message)) return ['unsupported-object', WRONG_KEY];
  // Only the key that encrypted the object can read it. The second text is Ceph's.
  const needsKey = /stored using .*server.side encryption|customer provided keys/i.test(message);
  return needsKey ? ['unsupported-object', sealed ? WRONG_KEY : NEEDS_KEY] : undefined;
}

function wrongRegion(
  refusal: Refusal,
  region: string | undefined,
  endpoint: string | undefined,
  details: ErrorDetails,
): XsyncError {
  if (region !== undefined) {
    const message = `${placeOf(refusal)} is in region ${region}, not ${refusal.region}`;
    return new XsyncError('wrong-region', message, { ...details, remedy: `${REGION} ${region}.` });
  }
  const message = `${placeOf(refusal)} is not at this endpoint`;
  const remedy = endpoint ? `Set endpoint: the bucket is at ${endpoint}.` : "Check the remote's region and endpoint.";
  return new XsyncError('wrong-endpoint', message, { ...details, remedy });
}

/** The error for one failed key of a batch response, which has only the service's code and message. */
export function itemError(key: string, serviceCode: string | undefined, message: string | undefined): XsyncError {
  const [code, remedy] = entryOf(serviceCode) ?? [unknownCode(200, serviceCode) ?? 'server-error'];
  const what = message && serviceCode ? `${message} (${serviceCode})` : message || serviceCode;
  return new XsyncError(code, `${key}: ${what || 'failed'}`, { subject: key, serviceCode, remedy });
}

type ErrorFields = Partial<Record<'Code' | 'Message' | 'RequestId' | 'Region' | 'Endpoint' | 'ArgumentName', string>>;

const ERROR_SHAPE = {
  root: 'Error',
  fields: ['Code', 'Message', 'RequestId', 'Region', 'Endpoint', 'ArgumentName'],
  lists: {},
} as const;

/** The fields of an error document; empty when the body is something else, such as a proxy's error page. */
function readError(body: Buffer, say: (text: string) => string): ErrorFields {
  if (body.length === 0) return {};
  try {
    const { fields } = readXml(body, ERROR_SHAPE);
    for (const name of ERROR_SHAPE.fields) if (fields[name] !== undefined) fields[name] = say(fields[name]);
    return fields;
  } catch {
    return {};
  }
}

/** The headers of an error, of which some are shown. */
function clean(headers: Record<string, string>, say: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, say(value)]));
}
