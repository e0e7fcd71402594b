/**
 * Translates OSS's error responses into XsyncErrors. Codes and meanings are from "HTTP status codes" and the
 * error code pages (EC) of the OSS developer reference.
 */
import type { AttributeName } from '../../model/attributes.js';
import {
  concernsBucket,
  type ErrorClass,
  type ErrorCode,
  type ErrorDetails,
  isXsyncError,
  XsyncError,
} from '../../model/error.js';
import { refusedArgument } from '../http/refused-argument.js';
import { retryAfterMs } from '../http/retry-after.js';
import { wholeNumber } from '../http/rows.js';
import { saidTo, unknownCode } from '../http/said.js';
import { isWebPage, readXml, WEB_PAGE } from '../http/xml.js';
import type { OssSettings } from './config.js';
import { endpointOrigin, isPathStyle, regionOfEndpoint, serviceName } from './endpoint.js';

/** A raw error response. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Headers of the request, whose secrets the service may repeat. */
  sent?: Readonly<Record<string, unknown>>;
}

/** The subject of the failed call, for messages. */
export interface Subject {
  bucket: string;
  /** The bucket's name in messages; default `bucket NAME`. */
  place?: string;
  key?: string;
  region: string;
  /** The bucket's own domain, if the request went there. */
  domain?: string;
}

/** The subject of a call, for messages about it. */
export function subjectOf(
  { region, domains }: OssSettings,
  bucket: string,
  key: string | undefined,
  place?: string,
): Subject {
  return { bucket, place, key, region, ...(domains[0] !== undefined && { domain: new URL(domains[0]).host }) };
}

interface Reading {
  code: ErrorCode;
  class?: ErrorClass;
  remedy?: string;
  attribute?: AttributeName;
}

const DAMAGED =
  'The data changed in transit or at the source: run again. If it persists, compare the source with its checksum.';
const CREDENTIALS = 'Check access_key_id and secret_access_key, and that the key is enabled.';

const LINK = 'Repair or remove the link, or copy links themselves: --links keep.';

const BY_CODE: Record<string, Reading> = {
  NoSuchBucket: { code: 'bucket-not-found', remedy: 'Check the bucket name and the account, or create the bucket.' },
  NoSuchKey: { code: 'object-not-found' },
  NoSuchVersion: { code: 'object-not-found' },
  SymlinkTargetNotExist: { code: 'unsupported-object', remedy: LINK },
  NotSymlink: { code: 'unsupported-object' },
  InvalidTargetType: { code: 'unsupported-object', remedy: LINK },
  NoSuchUpload: { code: 'upload-not-found' },
  BucketAlreadyExists: { code: 'bucket-exists', remedy: 'Bucket names are globally unique: choose another.' },
  BucketNotEmpty: {
    code: 'guard',
    remedy:
      'Delete its objects with xsync delete, its unfinished uploads with xsync cleanup, and old versions at the service.',
  },
  AccessDenied: {
    code: 'access-denied',
    remedy: "Grant the RAM user this action on the bucket, or check the bucket's policy.",
  },
  UserDisable: { code: 'access-denied', remedy: 'Check the account for overdue payments.' },
  FileImmutable: { code: 'access-denied', remedy: 'Wait until the retention (WORM) that protects the object ends.' },
  InvalidAccessKeyId: { code: 'bad-credentials', remedy: CREDENTIALS },
  SignatureDoesNotMatch: { code: 'bad-credentials', remedy: CREDENTIALS },
  InvalidSecurityToken: { code: 'bad-credentials', remedy: 'Check session_token; it belongs to one key pair.' },
  SecurityTokenExpired: { code: 'expired-credentials', remedy: 'Fetch new temporary credentials.' },
  PublicEndpointForbidden: {
    code: 'wrong-endpoint',
    remedy:
      'Map a custom domain to the bucket and set endpoint: DOMAIN and cname: true, or set internal: true for a host in the region.',
  },
  SecondLevelDomainForbidden: {
    code: 'wrong-endpoint',
    remedy: 'Set endpoint to a host name: OSS takes the bucket from the host and does not serve IP addresses.',
  },
  RequestTimeTooSkewed: { code: 'clock-skew', remedy: "Set this machine's clock." },
  TransferAccelerationDisabled: {
    code: 'acceleration-disabled',
    remedy: 'Enable transfer acceleration on the bucket (it takes up to 30 minutes), or set accelerate: off.',
  },
  InvalidObjectState: {
    code: 'object-archived',
    remedy: 'Restore the object at the service first, or exclude it.',
  },
  BadDigest: { code: 'checksum-mismatch', remedy: DAMAGED },
  InvalidDigest: { code: 'checksum-mismatch', remedy: DAMAGED },
  PreconditionFailed: {
    code: 'precondition-failed',
    remedy: 'The object changed while it was read: run again when nothing writes to it.',
  },
  FileAlreadyExists: { code: 'precondition-failed' },
  InvalidPart: { code: 'precondition-failed' },
  EntityTooLarge: { code: 'object-too-large' },
  MetadataTooLarge: { code: 'metadata-too-large' },
  InvalidObjectName: { code: 'key-not-representable' },
  InvalidBucketName: { code: 'config', remedy: 'Bucket names have 3 to 63 characters of a-z, 0-9 and -.' },
  InvalidRange: { code: 'truncated' },
  IncompleteBody: { code: 'truncated' },
  InternalError: { code: 'server-error' },
  RequestTimeout: { code: 'timeout' },
  KmsServiceNotEnabled: { code: 'access-denied', remedy: 'Enable KMS for the account, or encrypt with --sse aes256.' },
  NotImplemented: { code: 'unsupported' },
};

/** The answer to a HEAD may have only the detailed error code, in a header. */
const CODE_OF_EC = new Map([['0048-00000401', 'PublicEndpointForbidden']]);

/** Of InvalidArgument: https://www.alibabacloud.com/help/en/oss/support/0013-00000101. */
const ARGUMENT_OF_EC = new Map([['0013-00000101', 'x-oss-storage-class']]);

const FIELDS = ['Code', 'Message', 'RequestId', 'EC', 'Endpoint', 'ArgumentName'] as const;
export type ErrorFields = Partial<Record<(typeof FIELDS)[number], string>>;

/** A domain of another bucket, or of none, looks like this: the resource that was signed is not the one that was reached. */
const OF_THE_DOMAIN = new Set(['SignatureDoesNotMatch', 'NoSuchBucket', 'InvalidBucketName']);

/** Translates a response with status 300 or higher, or a 200 whose body is an `<Error>`. */
export function ossError(refusal: Refusal, subject: Subject): XsyncError {
  const { body, sent = {} } = refusal;
  const say = saidTo(sent);
  const fields = readFields(refusal);
  for (const name of FIELDS) if (fields[name] !== undefined) fields[name] = say(fields[name]);
  const headers = Object.fromEntries(Object.entries(refusal.headers).map(([name, value]) => [name, say(value)]));
  const page = isWebPage(body) ? WEB_PAGE : undefined;
  return errorOf(fields, { ...refusal, headers }, subject, page);
}

/**
 * Like `ossError`, for an error that was parsed already.
 * @param page the response is not from OSS
 */
export function errorOf(
  fields: ErrorFields,
  { status, headers }: Pick<Refusal, 'status' | 'headers'>,
  subject: Subject,
  page?: typeof WEB_PAGE,
): XsyncError {
  const ec = fields.EC ?? headers['x-oss-ec'];
  const { Code: serviceCode = CODE_OF_EC.get(ec ?? '') } = fields;
  const message = fields.Message ?? `${page?.what ?? 'the service refused it'} (HTTP status ${status})`;
  const details: ErrorDetails = {
    subject: subject.key ?? subject.bucket,
    status,
    serviceCode,
    requestId: fields.RequestId ?? headers['x-oss-request-id'],
    retryAfterMs: askedMs(headers),
  };
  const isMarker = status === 405 && headers['x-oss-delete-marker'] === 'true';
  const reading: Reading = isMarker
    ? { code: 'object-not-found' }
    : readingOf(serviceCode, { ...fields, EC: ec, Message: message }, status, subject);
  const name =
    subject.key === undefined || concernsBucket(reading.code)
      ? (subject.place ?? `bucket ${subject.bucket}`)
      : subject.key;
  const text = `${name}: ${message}${serviceCode ? ` (${serviceCode}${ec ? `, EC ${ec}` : ''})` : ''}`;
  return new XsyncError(reading.code, text, {
    ...details,
    class: reading.class,
    remedy: page?.remedy ?? reading.remedy,
    attribute: reading.attribute,
  });
}

/** A HEAD's response has no body: its error is base64-encoded in `x-oss-err`. A proxy's error page has no fields. */
function readFields({ headers, body }: Pick<Refusal, 'headers' | 'body'>): ErrorFields {
  const text = body.length > 0 ? Buffer.from(body) : Buffer.from(headers['x-oss-err'] ?? '', 'base64');
  try {
    return readXml(text, { root: 'Error', fields: FIELDS, lists: {} }).fields;
  } catch {
    return {};
  }
}

function readingOf(
  serviceCode: string | undefined,
  { Message: message = '', Endpoint: endpoint, EC: ec = '', ArgumentName: argument }: ErrorFields,
  status: number,
  subject: Subject,
): Reading {
  if (endpoint && (serviceCode === 'AccessDenied' || status < 400)) {
    return { code: 'wrong-endpoint', remedy: `Set ${addressOf(endpoint)}, where the bucket is.` };
  }
  if (/signing region/i.test(message)) {
    const remedy = `The bucket is not in ${subject.region || 'the configured region'}: set region to the bucket's region.`;
    return { code: 'wrong-region', remedy };
  }
  const known = serviceCode !== undefined && Object.hasOwn(BY_CODE, serviceCode) ? BY_CODE[serviceCode] : undefined;
  if (known && subject.domain !== undefined && OF_THE_DOMAIN.has(serviceCode ?? '')) {
    const remedy = `Check the keys, and that ${subject.domain} is mapped to the bucket ${subject.bucket}.`;
    return { code: known.code, remedy };
  }
  const refused = known ?? refusedArgument(serviceCode, argument ?? ARGUMENT_OF_EC.get(ec), message);
  if (refused) return refused;
  // Locks take a configuration of the bucket, and a service that has it.
  if (status === 400 && /worm|object lock/i.test(`${serviceCode} ${message}`)) {
    return { code: 'attribute-refused', attribute: 'lock' };
  }
  // QpsLimitExceeded, TotalQpsLimitExceeded, DownloadTrafficRateLimitExceeded, UploadTrafficRateLimitExceeded, …
  const code = unknownCode(status, serviceCode) ?? byStatus(status, subject);
  // Nobody knows how long a refusal without a known reason lasts. The known ones need a person.
  return code === 'access-denied' ? { code, class: 'temporary', remedy: BY_CODE.AccessDenied?.remedy } : { code };
}

/** The settings for an endpoint, which names its region: `oss-cn-beijing.aliyuncs.com`. */
function addressOf(endpoint: string): string {
  const origin = endpointOrigin(endpoint);
  const { host = endpoint } = (origin && serviceName(origin)) || {};
  const region = origin && regionOfEndpoint(origin);
  return region === undefined ? `endpoint: ${host}` : `region: ${region} and endpoint: ${host}`;
}

type Addresses = Pick<OssSettings, 'endpoints' | 'domains'>;

/** A custom domain that is not declared as one is asked for a host that does not exist, or has no certificate. */
export function hintDomain<E>(error: E, { endpoints: { control }, domains }: Addresses): E | XsyncError {
  const { hostname } = new URL(control);
  const plain = domains.length === 0 && serviceName(control) === undefined && !isPathStyle(hostname);
  if (!plain || !isXsyncError(error, 'unreachable', 'tls')) return error;
  const { code, message, subject, cause } = error;
  const remedy = `If ${hostname} is mapped to the bucket, set cname: true; otherwise check the endpoint, DNS and the network.`;
  return new XsyncError(code, message, { subject, cause, class: error.class, remedy });
}

function byStatus(status: number, { key }: Subject): ErrorCode {
  switch (status) {
    case 401:
    case 403:
      return 'access-denied';
    case 404:
      return key === undefined ? 'bucket-not-found' : 'object-not-found';
    case 408:
      return 'timeout';
    case 412:
      return 'precondition-failed';
    case 416:
      return 'truncated';
    case 429:
    case 503:
      return 'throttled';
  }
  return status >= 500 ? 'server-error' : 'invalid-response';
}

/** `x-oss-qos-delay-time` is in milliseconds. */
function askedMs(headers: Record<string, string>): number | undefined {
  return wholeNumber(headers['x-oss-qos-delay-time']) ?? retryAfterMs(headers);
}
