/** Origins, virtual hosts and paths of requests. */
import { isIP } from 'node:net';
import { encodeQuery, escapePath, type Query } from './encode.js';

/** The two endpoints of a bucket. Each is a service's origin, without the bucket, or a domain of the bucket's own. */
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

/**
 * Places whose hosts are not named after their region ID, which signatures need. The finance cloud keeps buckets that
 * are public and buckets that are not in separate places. Source: "Regions and endpoints" of the OSS user guide.
 */
const REGION_OF_PLACE: Readonly<Record<string, string>> = {
  'cn-hzfinance': 'cn-hangzhou-finance',
  'cn-hzjbp': 'cn-hangzhou-finance',
  'cn-hzjbp-a': 'cn-hangzhou-finance',
  'cn-hzjbp-b': 'cn-hangzhou-finance',
  'cn-szfinance': 'cn-shenzhen-finance-1',
  'cn-shenzhen-finance': 'cn-shenzhen-finance-1',
  'cn-shenzhen-finance-1-pub': 'cn-shenzhen-finance-1',
  'cn-shanghai-finance': 'cn-shanghai-finance-1',
  'cn-shanghai-finance-1-pub': 'cn-shanghai-finance-1',
  'cn-beijing-finance-1-pub': 'cn-beijing-finance-1',
};

/** The hosts of regions that have no host of their name. */
const PUBLIC_PLACE: Readonly<Record<string, string>> = {
  'cn-hangzhou-finance': 'cn-hzfinance',
  'cn-shanghai-finance-1': 'cn-shanghai-finance-1-pub',
  'cn-shenzhen-finance-1': 'cn-szfinance',
  'cn-beijing-finance-1': 'cn-beijing-finance-1-pub',
};
const INTERNAL_PLACE: Readonly<Record<string, string>> = { 'cn-hangzhou-finance': 'cn-hzjbp-a' };

/** The region ID that signatures name: `cn-hangzhou-finance` for `cn-hzfinance`, and most names as they are. */
export function regionId(region: string): string {
  return REGION_OF_PLACE[region] ?? region;
}

/** `https://oss-cn-shanghai.aliyuncs.com`, or its internal form, which is available only inside the region. */
export function regionalOrigin(region: string, internal: boolean): string {
  const place = (internal ? INTERNAL_PLACE : PUBLIC_PLACE)[region] ?? region;
  // Buckets without a region (`rg-china-mainland`) have no internal endpoint.
  const suffix = internal && !region.startsWith('rg-') ? '-internal' : '';
  return `https://oss-${place}${suffix}.aliyuncs.com`;
}

/** An endpoint of Alibaba Cloud, taken apart. */
export interface ServiceName {
  /** Present when a bucket's name precedes the endpoint. */
  bucket?: string;
  /** The endpoint without the bucket, such as `oss-cn-shanghai-internal.aliyuncs.com`. */
  host: string;
  /** `cn-shanghai` or `cn-hzfinance`; absent for accelerated endpoints and the old global one. */
  place?: string;
}

/** Public, internal, VPC, S3-dialect, accelerated and dual-stack names (`cn-shanghai.oss`), or a bucket before one. */
const SERVICE =
  /^(?:([a-z0-9][a-z0-9-]{1,61}[a-z0-9])\.)??((?:(?:s3\.)?(?:vpc100-)?oss(?:-([a-z0-9-]+?))?(?:-internal)?|([a-z0-9-]+)\.oss)\.aliyuncs\.com)$/;

/** Undefined for hosts of others. */
export function serviceName(origin: string): ServiceName | undefined {
  const [, bucket, host, single, dual] = SERVICE.exec(new URL(origin).hostname) ?? [];
  if (host === undefined) return undefined;
  const place = single ?? (dual && (PUBLIC_PLACE[regionId(dual)] ?? dual));
  return {
    host,
    ...(bucket !== undefined && { bucket }),
    ...(place !== undefined && !place.startsWith('accelerate') && { place }),
  };
}

/** The endpoints of a bucket whose region has this public one, with their usual names; none for other services. */
export function namesOf(origin: string): string[] {
  const { place, host } = serviceName(origin) ?? {};
  if (place === undefined || host === undefined) return [];
  const region = regionId(place);
  const hosts = [host, ...[place, region].map((name) => new URL(regionalOrigin(name, true)).host)];
  const all = [...hosts, `${region}.oss.aliyuncs.com`].flatMap((name) => [`https://${name}`, `http://${name}`]);
  return [...new Set([...all, ...Object.values(ACCELERATED)])];
}

/** The region that an Alibaba Cloud endpoint names; undefined for accelerated and other endpoints. */
export function regionOfEndpoint(origin: string): string | undefined {
  const place = serviceName(origin)?.place;
  return place === undefined ? undefined : regionId(place);
}

/** An endpoint as an origin without trailing slash; the default scheme is `https://`. Undefined when it is not one. */
export function endpointOrigin(endpoint: string): string | undefined {
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, username } = new URL(text);
  const plain = pathname === '/' && search === '' && username === '';
  return plain && (protocol === 'https:' || protocol === 'http:') ? origin : undefined;
}

/**
 * The origin and exact path of a call. OSS requires virtual hosts, which IP addresses and localhost cannot have.
 * @param bucket absent when the origin needs none: for the service itself, and for a bucket's own domain
 */
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
