/** A bucket's addresses: the origin and the path before the key, for control calls and for object data. */
import { partitionOf } from '../../aws/partition.js';
import { XsyncError } from '../../model/error.js';
import { refuseOtherKinds, ruledAddress } from './access-point.js';
import { endpointIn, type S3Config } from './config.js';
import { isAws, presetOf } from './presets.js';

/** An origin and the path in front of keys: `''` under virtual hosts, `/bucket` in path style. */
export interface Address {
  origin: string;
  host: string;
  base: string;
}

export interface Addresses {
  /** The service's own address, which identifies it in manifests. */
  endpoint: string;
  /** Requests are signed for it. */
  region: string;
  /** The service's name in signatures. */
  service: 's3' | 's3-outposts';
  /** The bucket is in the path, not in the host name. */
  pathStyle: boolean;
  control: Address;
  /** For object data: the same address, or the accelerated endpoint. */
  data: Address;
}

/** @throws config: when no endpoint is known, or when the bucket cannot be reached as the config says */
export function addressesOf(config: S3Config, bucket: string): Addresses {
  const preset = presetOf(config);
  if (isAws(config)) refuseOtherKinds(bucket);
  const ruled = ruledAddress(config, bucket);
  if (ruled !== undefined) {
    const { endpoint, region, service, ...control } = ruled;
    return { endpoint, region, service, pathStyle: false, control, data: control };
  }
  const region = config.region ?? preset.defaultRegion;
  const given = config.endpoint ?? (isAws(config) ? awsEndpoint(config, region) : preset.endpoint?.(region));
  const endpoint = endpointIn(given ?? '');
  if (endpoint === undefined) throw new XsyncError('config', 'the s3 remote has no endpoint', { subject: bucket });
  const pathStyle = config.force_path_style ?? (preset.pathStyle || !fitsHost(endpoint, bucket));
  const control = addressOf(endpoint, bucket, pathStyle);
  // `aws-global` is an endpoint; signatures name a real region.
  const signed = region === 'aws-global' ? 'us-east-1' : region;
  return {
    endpoint,
    region: signed,
    service: 's3',
    pathStyle,
    control,
    data: config.accelerate === 'on' ? accelerated(config, signed, bucket) : control,
  };
}

/** As the SDK's rules make it; a test compares them. */
function awsEndpoint({ use_fips_endpoint: fips, use_dualstack_endpoint: dualstack }: S3Config, region: string): string {
  const { dnsSuffix, supportsFIPS, name } = partitionOf(region);
  if (region === 'aws-global') return awsGlobal({ fips, dualstack }, dnsSuffix);
  if (fips && !supportsFIPS) {
    throw new XsyncError('config', `the AWS partition ${name} has no FIPS endpoints`, {
      subject: region,
      remedy: 'Set use_fips_endpoint: false for this remote, or AWS_USE_FIPS_ENDPOINT=false.',
    });
  }
  return `https://s3${fips ? '-fips' : ''}${dualstack ? '.dualstack' : ''}.${region}.${dnsSuffix}`;
}

function awsGlobal({ fips, dualstack }: { fips?: boolean; dualstack?: boolean }, dnsSuffix: string): string {
  if (!fips && !dualstack) return `https://s3.${dnsSuffix}`;
  return `https://s3${fips ? '-fips' : ''}${dualstack ? '.dualstack' : ''}.us-east-1.${dnsSuffix}`;
}

/** S3 Transfer Acceleration requires virtual hosts and a bucket name without dots. */
function accelerated(config: S3Config, region: string, bucket: string): Address {
  const { name, dnsSuffix } = partitionOf(region);
  const refuse = (message: string) =>
    new XsyncError('config', message, { subject: bucket, remedy: 'Set accelerate: off for this remote.' });
  if (bucket.includes('.')) throw refuse('transfer acceleration does not support bucket names with dots');
  if (name === 'aws-cn') throw refuse('AWS has no transfer acceleration in its China regions');
  if (config.use_fips_endpoint) throw refuse('transfer acceleration has no FIPS endpoints');
  return addressOf(
    `https://s3-accelerate${config.use_dualstack_endpoint ? '.dualstack' : ''}.${dnsSuffix}`,
    bucket,
    false,
  );
}

/** @param endpoint from `endpointIn`: an origin, possibly with a path */
export function addressOf(endpoint: string, bucket: string, pathStyle: boolean): Address {
  const { origin, host, pathname } = new URL(endpoint);
  const path = pathname.replace(/\/$/, '');
  if (pathStyle) return { origin, host, base: `${path}/${bucket}` };
  return { origin: origin.replace('://', `://${bucket}.`), host: `${bucket}.${host}`, base: path };
}

/** Whether the bucket fits into the host name: not for IP addresses, nor with dots under a wildcard certificate. */
function fitsHost(endpoint: string, bucket: string): boolean {
  const { hostname, protocol } = new URL(endpoint);
  const address = /^[\d.]+$|:/.test(hostname) || hostname === 'localhost';
  return !address && /^[a-z0-9][a-z0-9.-]*$/.test(bucket) && !(protocol === 'https:' && bucket.includes('.'));
}
