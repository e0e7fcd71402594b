/** Origins, virtual hosts and paths of requests. */
import { isIP } from 'node:net';
import { encodeQuery, escapePath, type Query } from './encode.js';

/** The two endpoints of a bucket. Both are service origins, without the bucket. */
export interface Endpoints {
  /** For listings, buckets, metadata and everything else without object data. */
  control: string;
  /** For reads, puts and parts. The accelerated endpoint if acceleration is on, else the control endpoint. */
  data: string;
}

export const ACCELERATED = {
  /** From anywhere. */
  global: 'https://oss-accelerate.aliyuncs.com',
  /** For clients and regions outside the Chinese mainland. */
  overseas: 'https://oss-accelerate-overseas.aliyuncs.com',
} as const;

/** `https://oss-cn-shanghai.aliyuncs.com`, or its internal form, which is available only inside the region. */
export function regionalOrigin(region: string, internal: boolean): string {
  return `https://oss-${region}${internal ? '-internal' : ''}.aliyuncs.com`;
}

/** The region that an Alibaba Cloud endpoint names; undefined for accelerated and other endpoints. */
export function regionOfEndpoint(origin: string): string | undefined {
  const region = /^https?:\/\/(?:s3\.)?oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(origin)?.[1];
  return region?.startsWith('accelerate') ? undefined : region;
}

/** An endpoint as an origin without trailing slash; the default scheme is `https://`. Undefined when it is not one. */
export function endpointOrigin(endpoint: string): string | undefined {
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, username } = new URL(text);
  const plain = pathname === '/' && search === '' && username === '';
  return plain && (protocol === 'https:' || protocol === 'http:') ? origin : undefined;
}

/** The origin and exact path of a call. OSS requires virtual hosts, which IP addresses and localhost cannot have. */
export function locate(
  origin: string,
  bucket: string | undefined,
  key: string,
  query: Query,
): { origin: string; path: string } {
  const search = encodeQuery(query);
  const tail = `${escapePath(key)}${search === '' ? '' : `?${search}`}`;
  if (bucket === undefined) return { origin, path: `/${tail}` };
  const url = new URL(origin);
  if (isPathStyle(url.hostname)) return { origin, path: `/${bucket}/${tail}` };
  return { origin: `${url.protocol}//${bucket}.${url.host}`, path: `/${tail}` };
}

export function isPathStyle(hostname: string): boolean {
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
