/**
 * What is known of each provider: endpoints, limits, and how its S3 API differs from Amazon's. One row a provider.
 * docs/providers.md says where each fact comes from.
 * Tests: test/store/s3/config.test.ts
 */
import { type NetworkLimits, S3_ATTRIBUTES } from '../attributes/limits.js';
import { S3_PROVIDERS } from '../attributes/s3-providers.js';
import type { Promised } from './headers.js';
import type { Quirk } from './quirks.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** What depends on the provider. Sizes in bytes. */
export interface S3Preset {
  /** The regional endpoint; absent where the user must set it. */
  endpoint?: (region: string) => string;
  /** Used when neither the config, the environment, nor the profile names one. */
  defaultRegion: string;
  pathStyle: boolean;
  orderedListing: 'yes' | 'unknown';
  minPartSize: number;
  maxParts: number;
  maxObjectSize: number;
  /** Largest CopyObject; larger objects are copied by UploadPartCopy. */
  maxCopySize: number;
  /** ETags of single puts and of parts are MD5s, whatever the bucket's encryption. */
  partEtagIsMd5: boolean;
  /**
   * ETags that look like an MD5, or like an MD5 of the parts' MD5s, are one, whoever wrote the object. Where this is not
   * promised, they are only a hint. Encrypted objects are excepted.
   */
  etagIsMd5: boolean;
  /** Objects have a key of the customer, so that their ETags are nothing at all, whatever they look like. */
  sealed?: true;
  /** Requests per second, where the provider documents a limit. */
  requestRates?: { read: number; write: number };
  /** What it keeps of an object besides its bytes. */
  attributes: NetworkLimits;
  /** The provider supports `x-amz-checksum-mode: ENABLED`. */
  checksumMode: boolean;
  /** CreateBucket must name the region in its body. */
  locationConstraint: boolean;
  /** CopyObject is known to obey `x-amz-copy-source-if-match`, so that nobody has to check which version it took. */
  pinsCopies: boolean;
  /**
   * DeleteObject obeys If-Match, and DeleteObjects the ETag of each key
   * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html).
   */
  deleteIfMatch: boolean;
  /** PutObject and CompleteMultipartUpload obey If-Match and If-None-Match. */
  writeIfMatch: boolean;
  /** Listings tell which archived objects were restored, if asked to (`x-amz-optional-object-attributes`). */
  listsRestores: boolean;
  /** Keys may contain NUL. */
  nul: boolean;
  /** Known before the first request; others are noticed during a run. */
  quirks: readonly Quirk[];
}

const COMPATIBLE: S3Preset = {
  defaultRegion: 'us-east-1',
  pathStyle: true,
  orderedListing: 'yes',
  minPartSize: 5 * MiB,
  maxParts: 10_000,
  maxObjectSize: 5 * 1024 * GiB,
  maxCopySize: 5 * GiB,
  partEtagIsMd5: true,
  etagIsMd5: true,
  attributes: S3_PROVIDERS.other,
  checksumMode: false,
  locationConstraint: false,
  pinsCopies: false,
  deleteIfMatch: false,
  writeIfMatch: false,
  listsRestores: false,
  nul: true,
  quirks: [],
};

/** Its endpoints follow from the region (address.ts). */
const AWS: S3Preset = {
  ...COMPATIBLE,
  pathStyle: false,
  attributes: S3_ATTRIBUTES,
  // 10,000 parts of 5 GiB.
  maxObjectSize: 50_000 * GiB,
  // A bucket's default encryption may be SSE-KMS. Only the responses show that.
  partEtagIsMd5: false,
  // Per prefix (https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
  requestRates: { read: 5_500, write: 3_500 },
  checksumMode: true,
  locationConstraint: true,
  pinsCopies: true,
  deleteIfMatch: true,
  writeIfMatch: true,
  listsRestores: true,
};

/** Virtual hosts, with a public endpoint for each region. */
const VIRTUAL: S3Preset = { ...COMPATIBLE, pathStyle: false };

/**
 * Providers in China, whose limits differ from Amazon's. They compute the ETags of multipart objects in ways of their
 * own, which rclone does not compare either.
 */
const CHINA: S3Preset = { ...VIRTUAL, locationConstraint: true, minPartSize: 100 * KiB, etagIsMd5: false };

export const PRESETS = {
  aws: AWS,
  'aws-cn': { ...AWS, defaultRegion: 'cn-north-1' },
  minio: { ...COMPATIBLE, attributes: S3_PROVIDERS.minio, pinsCopies: true },
  // Observed in RGW 16.
  ceph: {
    ...COMPATIBLE,
    defaultRegion: 'default',
    attributes: S3_PROVIDERS.ceph,
    nul: false,
    quirks: ['no-copy-if-match', 'no-encoded-uploads'],
  },
  b2: {
    ...VIRTUAL,
    endpoint: (region) => `https://s3.${region}.backblazeb2.com`,
    defaultRegion: 'us-west-004',
    attributes: S3_PROVIDERS.b2,
    etagIsMd5: false,
  },
  // All parts but the last must have the same size; the planner's parts do. ETags of objects uploaded in parts before
  // June 2023 are random (https://developers.cloudflare.com/r2/objects/multipart-objects/).
  r2: { ...COMPATIBLE, defaultRegion: 'auto', attributes: S3_PROVIDERS.r2, etagIsMd5: false },
  digitalocean: {
    ...VIRTUAL,
    endpoint: (region) => `https://${region}.digitaloceanspaces.com`,
    defaultRegion: 'nyc3',
    attributes: S3_PROVIDERS.digitalocean,
    quirks: ['no-encoding-type', 'no-encoded-uploads', 'no-copy-if-match'],
  },
  garage: { ...COMPATIBLE, defaultRegion: 'garage', attributes: S3_PROVIDERS.garage, etagIsMd5: false },
  // CopyObject has no limit on the size, and UploadPartCopy does not exist.
  gcs: {
    ...COMPATIBLE,
    endpoint: () => 'https://storage.googleapis.com',
    defaultRegion: 'auto',
    attributes: S3_PROVIDERS.gcs,
    maxCopySize: 5 * 1024 * GiB,
    partEtagIsMd5: false,
    etagIsMd5: false,
    quirks: ['no-part-copy', 'unpacks-gzip', 'no-copy-if-match'],
  },
  linode: {
    ...VIRTUAL,
    endpoint: (region) => `https://${region}.linodeobjects.com`,
    defaultRegion: 'us-east-1',
    attributes: S3_PROVIDERS.linode,
    quirks: ['no-copy-if-match', 'no-encoded-uploads'],
  },
  scaleway: {
    ...VIRTUAL,
    endpoint: (region) => `https://s3.${region}.scw.cloud`,
    defaultRegion: 'fr-par',
    attributes: S3_PROVIDERS.scaleway,
    maxParts: 1000,
  },
  seaweedfs: {
    ...COMPATIBLE,
    partEtagIsMd5: false,
    etagIsMd5: false,
    quirks: ['no-copy-if-match', 'no-encoding-type'],
  },
  // Server-side copies have no limit on the size, and UploadPartCopy does not exist. Objects are in segments of 64 MiB.
  storj: {
    ...COMPATIBLE,
    endpoint: () => 'https://gateway.storjshare.io',
    attributes: S3_PROVIDERS.storj,
    orderedListing: 'unknown',
    maxCopySize: 5 * 1024 * GiB,
    partEtagIsMd5: false,
    etagIsMd5: false,
    quirks: ['no-part-copy', 'no-copy-if-match'],
  },
  wasabi: {
    ...VIRTUAL,
    endpoint: (region) => (region === 'us-east-1' ? 'https://s3.wasabisys.com' : `https://s3.${region}.wasabisys.com`),
    defaultRegion: 'us-east-1',
    attributes: S3_PROVIDERS.wasabi,
  },
  oss: {
    ...CHINA,
    endpoint: (region) => `https://s3.oss-${region}.aliyuncs.com`,
    defaultRegion: 'cn-hangzhou',
    maxObjectSize: 50_000 * GiB,
    attributes: S3_PROVIDERS.oss,
  },
  cos: {
    ...CHINA,
    endpoint: (region) => `https://cos.${region}.myqcloud.com`,
    defaultRegion: 'ap-guangzhou',
    attributes: S3_PROVIDERS.cos,
    minPartSize: MiB,
  },
  // Parallel file systems have no ListObjectsV2, and repeat their first page when asked to encode keys.
  obs: {
    ...CHINA,
    endpoint: (region) => `https://obs.${region}.myhuaweicloud.com`,
    defaultRegion: 'cn-north-4',
    attributes: S3_PROVIDERS.obs,
    quirks: ['list-v1', 'no-encoding-type', 'no-encoded-uploads'],
  },
  other: {
    ...COMPATIBLE,
    orderedListing: 'unknown',
    partEtagIsMd5: false,
    etagIsMd5: false,
    quirks: ['no-copy-if-match'],
  },
} as const satisfies Record<string, S3Preset>;

export type S3Provider = keyof typeof PRESETS;

export const PROVIDERS: readonly S3Provider[] = Object.keys(PRESETS).filter(isProvider);

function isProvider(name: string): name is S3Provider {
  return Object.hasOwn(PRESETS, name);
}

/** rclone's names, in lower case, of providers that have another name here. */
export const RCLONE_PROVIDERS: Readonly<Record<string, S3Provider>> = {
  alibaba: 'oss',
  cloudflare: 'r2',
  huaweiobs: 'obs',
  tencentcos: 'cos',
};

/** The config's provider. The default is `aws`, or `other` when the config sets an endpoint. */
export function providerOf(config: { provider?: S3Provider; endpoint?: string }): S3Provider {
  return config.provider ?? (config.endpoint === undefined ? 'aws' : 'other');
}

export function isAws(config: { provider?: S3Provider; endpoint?: string }): boolean {
  const provider = providerOf(config);
  return provider === 'aws' || provider === 'aws-cn';
}

/** The preset of the config's provider, with the settings of the config that replace its values. */
export function presetOf(config: {
  provider?: S3Provider;
  endpoint?: string;
  quirks?: readonly Quirk[];
  max_parts?: number;
  etag_is_md5?: boolean;
  customerKey?: unknown;
}): S3Preset {
  const preset: S3Preset = PRESETS[providerOf(config)];
  const { quirks = preset.quirks, max_parts: maxParts = preset.maxParts, etag_is_md5: isMd5 } = config;
  const etags = isMd5 === undefined ? {} : { partEtagIsMd5: isMd5, etagIsMd5: isMd5 };
  const sealed =
    config.customerKey !== undefined && ({ sealed: true, partEtagIsMd5: false, etagIsMd5: false } as const);
  return { ...preset, quirks, maxParts, ...etags, ...sealed };
}

/** ETags that the store returns for what was just written are MD5s, unless the response says that it was encrypted. */
export function writtenEtagIsMd5({ partEtagIsMd5, etagIsMd5, sealed }: S3Preset): Promised {
  return sealed ? 'never' : partEtagIsMd5 || etagIsMd5;
}

/** What ETags of the store promise, whoever wrote the object. */
export function promisedBy({ etagIsMd5, sealed }: Pick<S3Preset, 'etagIsMd5' | 'sealed'>): Promised {
  return sealed ? 'never' : etagIsMd5;
}
