/** A bucket's addresses: the origin and the path before the key, for control calls and for object data. */
import { XsyncError } from '../../model/error.js';
import { originOf, type S3Config } from './config.js';
import { presetOf } from './presets.js';

/** An origin and the path in front of keys: `''` under virtual hosts, `/bucket` in path style. */
export interface Address {
  origin: string;
  host: string;
  base: string;
}

export interface Addresses {
  /** The service's own origin, which identifies it in manifests. */
  endpoint: string;
  region: string;
  control: Address;
  /** For object data: the same address, or the accelerated endpoint. */
  data: Address;
}

/** @throws config: when no endpoint is known, or when the bucket cannot use acceleration */
export function addressesOf(config: S3Config, bucket: string): Addresses {
  const preset = presetOf(config);
  const region = config.region ?? preset.defaultRegion;
  const endpoint = originOf(config.endpoint ?? preset.endpoint?.(region) ?? '');
  if (endpoint === undefined) throw new XsyncError('config', 'the s3 remote has no endpoint', { subject: bucket });
  const control = addressOf(
    endpoint,
    bucket,
    config.force_path_style ?? (preset.pathStyle || !fitsHost(endpoint, bucket)),
  );
  return { endpoint, region, control, data: config.accelerate === 'on' ? accelerated(bucket) : control };
}

/** S3 Transfer Acceleration requires virtual hosts and a bucket name without dots. */
export function accelerated(bucket: string): Address {
  if (bucket.includes('.')) {
    throw new XsyncError('config', 'transfer acceleration does not support bucket names with dots', {
      subject: bucket,
      remedy: 'Set accelerate: off for this remote.',
    });
  }
  return addressOf('https://s3-accelerate.amazonaws.com', bucket, false);
}

function addressOf(endpoint: string, bucket: string, pathStyle: boolean): Address {
  const host = endpoint.slice(endpoint.indexOf('://') + 3);
  if (pathStyle) return { origin: endpoint, host, base: `/${bucket}` };
  return { origin: endpoint.replace('://', `://${bucket}.`), host: `${bucket}.${host}`, base: '' };
}

/** Whether the bucket fits into the host name: not for IP addresses, nor with dots under a wildcard certificate. */
function fitsHost(endpoint: string, bucket: string): boolean {
  const { hostname, protocol } = new URL(endpoint);
  const address = /^[\d.]+$|:/.test(hostname) || hostname === 'localhost';
  return !address && /^[a-z0-9][a-z0-9.-]*$/.test(bucket) && !(protocol === 'https:' && bucket.includes('.'));
}
