/** Access points and other things that AWS lets one name in place of a bucket. Tests: test/store/s3/address.test.ts */
import { XsyncError } from '../../model/error.js';
import { endpointIn, type S3Config } from './config.js';
import { isAws, presetOf } from './presets.js';
import { loadSdkNow } from './sdk-load.js';

/** An ARN of an access point, up to the slash before the key. Parts are separated by colons or slashes. */
const ARN_IN_LOCATION = /^arn:[^/:]*:[^/:]*:[^/:]*:[^/:]*:(?:outpost[:/][^:/]+[:/])?accesspoint[:/][^/]+/;

/** The bucket at the start of a location: an access point's ARN has a slash of its own. */
export function bucketIn(location: string): string {
  const slash = location.indexOf('/');
  return ARN_IN_LOCATION.exec(location)?.[0] ?? (slash < 0 ? location : location.slice(0, slash));
}

export function isArn(bucket: string): boolean {
  return bucket.startsWith('arn:');
}

/** @throws config: for what S3 offers under a bucket's name and xsync cannot use */
export function refuseOtherKinds(bucket: string): void {
  const refuse = (what: string, remedy: string) =>
    new XsyncError('config', `${bucket} is ${what}, which xsync does not support`, { subject: bucket, remedy });
  if (/--xa?-s3$/.test(bucket)) {
    throw refuse('a directory bucket (S3 Express One Zone)', 'Use a general purpose bucket.');
  }
  if (/--ol-s3$/.test(bucket) || bucket.includes(':s3-object-lambda:')) {
    throw refuse('an Object Lambda access point', 'Use the bucket itself or a plain access point.');
  }
  if (/^arn:[^:]*:s3::\d*:accesspoint[:/]/.test(bucket)) {
    throw refuse('a Multi-Region Access Point', 'Use the bucket of one region.');
  }
  if (/^arn:[^:]*:s3:::/.test(bucket)) {
    const name = bucket.slice(bucket.indexOf(':::') + 3);
    throw refuse("a bucket's ARN", `Write the name of the bucket: ${name}.`);
  }
}

export interface RuledAddress {
  /** The service's own address. */
  endpoint: string;
  /** Region and service of signatures. */
  region: string;
  service: 's3' | 's3-outposts';
  /** The address of the access point itself. */
  origin: string;
  host: string;
  base: string;
}

/**
 * The address of an access point or an S3 on Outposts bucket alias by the SDK's own rules; undefined for plain buckets.
 * @throws config: when the rules refuse it, or when the store is not AWS
 */
export function ruledAddress(config: S3Config, bucket: string): RuledAddress | undefined {
  const aws = isAws(config);
  if (!isArn(bucket) && !(aws && bucket.endsWith('--op-s3'))) return undefined;
  if (!aws) {
    throw new XsyncError('config', `${bucket} is an ARN, and the remote is not at AWS`, {
      subject: bucket,
      remedy: 'Set provider: aws if the endpoint belongs to AWS, or write the name of the bucket.',
    });
  }
  const region = config.region ?? (bucket.split(':')[3] || presetOf(config).defaultRegion);
  const { url, properties } = resolve(config, bucket, region);
  const scheme = schemes(properties?.authSchemes).find(({ name }) => name === 'sigv4');
  const service = scheme?.signingName;
  if (service !== 's3' && service !== 's3-outposts') {
    throw new XsyncError('config', `xsync cannot sign requests to ${bucket}`, { subject: bucket });
  }
  const { origin, host, pathname } = url;
  // Without the access point's own label.
  const endpoint = endpointIn(config.endpoint ?? origin.replace(/:\/\/[^.]+\./, '://')) ?? origin;
  const base = pathname.replace(/\/$/, '');
  return { endpoint, region: scheme?.signingRegion ?? region, service, origin, host, base };
}

interface Resolved {
  url: URL;
  properties?: { authSchemes?: unknown };
}

function resolve(config: S3Config, bucket: string, region: string): Resolved {
  const { S3Client } = loadSdkNow();
  const client = new S3Client({ region });
  try {
    return client.config.endpointProvider({
      Bucket: bucket,
      Region: region,
      Endpoint: config.endpoint === undefined ? undefined : endpointIn(config.endpoint),
      UseFIPS: config.use_fips_endpoint ?? false,
      UseDualStack: config.use_dualstack_endpoint ?? false,
      Accelerate: config.accelerate === 'on',
      ForcePathStyle: false,
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new XsyncError('config', `${bucket}: ${why}`, {
      subject: bucket,
      remedy: 'Check the ARN, and the region and endpoint of the remote.',
      cause,
    });
  } finally {
    client.destroy();
  }
}

interface AuthScheme {
  name?: string;
  signingName?: string;
  signingRegion?: string;
}

function schemes(value: unknown): AuthScheme[] {
  return Array.isArray(value) ? value : [];
}
