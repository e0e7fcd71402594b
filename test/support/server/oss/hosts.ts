/** What the host of a request means to OSS: the service, a bucket of it, or a domain that is mapped to a bucket. */
import { isIP } from 'node:net';
import { ServiceError } from '../errors.js';
import { type Exchange, type Locate, locateInPath } from '../exchange.js';
import type { RequestKind } from '../kinds.js';
import type { OssSettings } from './call.js';

/** `oss.test` is a public endpoint of the test server's own. */
const SERVICE = /^(?:oss\.test|localhost|oss-[a-z0-9-]+\.aliyuncs\.com|[a-z0-9-]+\.oss\.aliyuncs\.com)$/;
const BUCKET = /^([a-z0-9-]+)\.(?:oss\.test|localhost|oss-[a-z0-9-]+\.aliyuncs\.com|[a-z0-9-]+\.oss\.aliyuncs\.com)$/;

/** A domain that is mapped to no bucket is taken for the name of one. */
export function ossLocate({ cnames }: OssSettings): Locate {
  return (host, path) => {
    const mapped = cnames[host];
    if (mapped !== undefined) return { bucket: mapped, key: path.slice(1) };
    if (isIP(host) !== 0 || SERVICE.test(host)) return locateInPath(path);
    return { bucket: BUCKET.exec(host)?.[1] ?? host, key: path.slice(1) };
  };
}

/** Calls of the account and of a bucket's settings. All others are data calls. */
const CONTROL = new Set<RequestKind>([
  'ListBuckets',
  'CreateBucket',
  'DeleteBucket',
  'HeadBucket',
  'GetBucketInfo',
  'GetBucketLocation',
  'GetBucketVersioning',
  'PutBucketVersioning',
  'GetBucketAcl',
]);

/** @throws SecondLevelDomainForbidden, PublicEndpointForbidden, MethodNotAllowed */
export function checkHost(exchange: Exchange, { cnames, pathStyle, publicEndpointForbidden }: OssSettings): void {
  const host = (exchange.header('host') ?? '').replace(/:\d+$/, '').toLowerCase();
  const mapped = Object.hasOwn(cnames, host);
  const inPath = !mapped && (isIP(host) !== 0 || SERVICE.test(host));
  if (inPath && !pathStyle && exchange.bucketName !== '') throw new ServiceError('SecondLevelDomainForbidden');
  if (mapped && (exchange.kind === 'CreateBucket' || exchange.kind === 'ListBuckets')) {
    throw new ServiceError('MethodNotAllowed');
  }
  const isPublic = !mapped && BUCKET.test(host) && !/-internal\.|oss-accelerate/.test(host);
  if (publicEndpointForbidden && isPublic && !CONTROL.has(exchange.kind)) {
    throw new ServiceError('PublicEndpointForbidden', { elements: { EC: '0048-00000401' } });
  }
}
