/** Object lock: retention and legal holds of versions. Both services want versioning and a lock configuration. */
import type { Bucket } from './bucket.js';
import { ServiceError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { DefaultRetention, StoredLock, StoredObject } from './model.js';
import { children, element, parseXml, textOf, wrap, type XmlNode } from './xml.js';

/** The names of the headers, which the services give the same values. */
const NAMES = {
  s3: { mode: 'object-lock-mode', until: 'object-lock-retain-until-date', hold: 'object-lock-legal-hold' },
  oss: { mode: 'object-worm-mode', until: 'object-worm-retain-until-date', hold: 'object-worm-legal-hold' },
} as const;

/** Of OSS, "Currently, only compliance mode is supported" (Object-level retention policy). */
const MODES = { s3: ['GOVERNANCE', 'COMPLIANCE'], oss: ['COMPLIANCE'] } as const;

/** The lock in the headers of a write. @throws InvalidRequest, InvalidArgument */
export function readLock(exchange: Exchange, bucket: Bucket): StoredLock | undefined {
  const names = NAMES[exchange.protocol];
  const mode = exchange.vendor(names.mode);
  const until = exchange.vendor(names.until);
  const hold = exchange.protocol === 's3' ? exchange.vendor(names.hold) : undefined;
  const silent = mode === undefined && until === undefined && hold === undefined;
  if (silent && !bucket.retention) return undefined;
  const proved = exchange.header('content-md5') !== undefined || checksummed(exchange);
  if (exchange.kind === 'PutObject' && exchange.protocol === 's3' && !proved) {
    throw new ServiceError('InvalidRequest', {
      message:
        'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    });
  }
  return silent ? undefined : { ...retention(bucket, mode, until), ...(hold === 'ON' && { hold: true }) };
}

function checksummed({ req }: Exchange): boolean {
  return Object.keys(req.headers).some((name) => name.startsWith('x-amz-checksum-'));
}

/** @throws InvalidRequest: the bucket has no lock configuration; InvalidArgument */
function retention(bucket: Bucket, mode: string | undefined, until: string | undefined): StoredLock {
  mustLock(bucket);
  if (mode === undefined && until === undefined) return {};
  const known = MODES[bucket.protocol].find((name) => name === mode);
  const untilMs = Date.parse(until ?? '');
  if (!known) throw new ServiceError('InvalidArgument', { message: 'Unknown wormMode directive.' });
  if (Number.isNaN(untilMs))
    throw new ServiceError('InvalidArgument', { message: 'The retain until date is invalid.' });
  if (untilMs <= bucket.now()) {
    throw new ServiceError('InvalidArgument', { message: 'The retain until date must be in the future!' });
  }
  return { mode: known, untilMs };
}

/** @throws InvalidRequest */
function mustLock({ objectLock }: Bucket): void {
  if (objectLock) return;
  throw new ServiceError('InvalidRequest', { message: 'Bucket is missing Object Lock Configuration' });
}

/**
 * PutObjectRetention. A retention in force can be extended. Only that in GOVERNANCE mode can be shortened or changed, with a
 * header that asks for it
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-modes).
 */
export function setRetention(bucket: Bucket, object: StoredObject, document: string, bypasses = false): void {
  const root = parseXml(document, 'Retention');
  const lock = retention(bucket, textOf(root, 'Mode'), textOf(root, 'RetainUntilDate'));
  const { mode, untilMs = 0 } = object.lock ?? {};
  const weaker = (lock.untilMs ?? 0) < untilMs || (mode === 'COMPLIANCE' && lock.mode !== mode);
  if (untilMs > bucket.now() && weaker && !(mode === 'GOVERNANCE' && bypasses)) {
    throw bucket.protocol === 'oss' ? new ServiceError('FileImmutable') : protectedByLock();
  }
  object.lock = { ...object.lock, ...lock };
}

/** Whether the request asks to ignore a retention in GOVERNANCE mode. */
export function bypassesGovernance(exchange: Exchange): boolean {
  return exchange.vendor('bypass-governance-retention')?.toLowerCase() === 'true';
}

function protectedByLock(): ServiceError {
  return new ServiceError('AccessDenied', { message: 'Access Denied because object protected by object lock.' });
}

/**
 * PutObjectLockConfiguration, of new and of existing buckets: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html.
 * @throws InvalidBucketState, MalformedXML, InvalidArgument
 */
export function setLockConfiguration(bucket: Bucket, document: string): void {
  const root = parseXml(document, 'ObjectLockConfiguration');
  if (bucket.versioning !== 'Enabled') {
    throw new ServiceError('InvalidBucketState', {
      message: "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    });
  }
  if (textOf(root, 'ObjectLockEnabled') !== 'Enabled') throw new ServiceError('MalformedXML');
  const [rule] = children(root, 'Rule');
  bucket.retention = rule && retentionOf(children(rule, 'DefaultRetention')[0] ?? {});
  bucket.objectLock = true;
}

/** "You cannot specify Days and Years at the same time." */
function retentionOf(node: XmlNode): DefaultRetention {
  const mode = MODES.s3.find((name) => name === textOf(node, 'Mode'));
  const [unit, ...more] = (['Days', 'Years'] as const).filter((name) => textOf(node, name) !== undefined);
  if (!mode || !unit || more.length > 0) throw new ServiceError('MalformedXML');
  const count = Number(textOf(node, unit));
  if (Number.isInteger(count) && count > 0) return { mode, unit, count };
  throw new ServiceError('InvalidArgument', { message: 'Default retention period must be a positive integer value.' });
}

/** @throws ObjectLockConfigurationNotFoundError */
export function lockConfiguration({ objectLock, retention: rule }: Bucket): string {
  if (!objectLock) throw new ServiceError('ObjectLockConfigurationNotFoundError');
  const retained = rule && element('Mode', rule.mode) + element(rule.unit, rule.count);
  return element('ObjectLockEnabled', 'Enabled') + (retained ? wrap('Rule', wrap('DefaultRetention', retained)) : '');
}

const DAY = 86_400_000;

/** Of a version that is written now: what its writer says, or else the default of its bucket. */
export function lockOfNew(bucket: Bucket, given: StoredLock | undefined): StoredLock | undefined {
  const rule = bucket.retention;
  if (!rule || given?.mode !== undefined) return given;
  const days = rule.unit === 'Years' ? rule.count * 365 : rule.count;
  return { ...given, mode: rule.mode, untilMs: bucket.now() + days * DAY };
}

/** PutObjectLegalHold. */
export function setHold(bucket: Bucket, object: StoredObject, document: string): void {
  mustLock(bucket);
  object.lock = { ...object.lock, hold: textOf(parseXml(document, 'LegalHold'), 'Status') === 'ON' };
}

/** As GET and HEAD return it. */
export function lockHeaders({ lock }: StoredObject, protocol: 's3' | 'oss'): Record<string, string> {
  const names = NAMES[protocol];
  const prefix = protocol === 's3' ? 'x-amz-' : 'x-oss-';
  return {
    ...(lock?.mode && { [prefix + names.mode]: lock.mode }),
    ...(lock?.untilMs !== undefined && { [prefix + names.until]: new Date(lock.untilMs).toISOString() }),
    ...(lock?.hold !== undefined && { [prefix + names.hold]: lock.hold ? 'ON' : 'OFF' }),
  };
}

/** @throws AccessDenied (S3), FileImmutable (OSS): for a version that a lock protects */
export function mustNotBeLocked(
  { lock }: StoredObject,
  { protocol, now, bypasses }: { protocol: 's3' | 'oss'; now: number; bypasses: boolean },
): void {
  const retained = (lock?.untilMs ?? 0) > now && !(lock?.mode === 'GOVERNANCE' && bypasses);
  if (!lock?.hold && !retained) return;
  throw protocol === 'oss' ? new ServiceError('FileImmutable') : protectedByLock();
}

/** A bucket with a lock configuration keeps versions for ever. @throws InvalidBucketState */
export function mustKeepVersions({ objectLock }: Bucket, wanted: string | undefined): void {
  if (!objectLock || wanted === 'Enabled') return;
  throw new ServiceError('InvalidBucketState', {
    message: 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
  });
}
