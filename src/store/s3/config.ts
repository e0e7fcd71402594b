/** The settings of an `s3` remote. Keys have rclone's names, so that a config can be moved to xsync. */
import { z } from 'zod';
import { pricesSchema } from '../prices/config.js';

const PROVIDERS = ['aws', 'aws-cn', 'minio', 'ceph', 'r2', 'oss', 'cos', 'obs', 'other'] as const;

/** rclone's names for the same providers. */
const RCLONE_PROVIDERS: Record<string, string> = {
  alibaba: 'oss',
  cloudflare: 'r2',
  tencentcos: 'cos',
  huaweiobs: 'obs',
};

const provider = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const lower = value.toLowerCase();
  return RCLONE_PROVIDERS[lower] ?? lower;
}, z.enum(PROVIDERS));

/** Environment variables hold booleans as text. */
const flag = z.union([z.boolean(), z.stringbool()]);
const text = z.string().min(1);

export const s3ConfigSchema = z
  .strictObject({
    type: z.literal('s3'),
    provider: provider.optional().describe('Sets endpoint, addressing and limits; default aws if there is no endpoint'),
    env_auth: flag
      .default(false)
      .describe('Use the AWS credential chain: environment, profile, SSO, web identity, IMDS'),
    access_key_id: text.optional(),
    secret_access_key: text.optional(),
    session_token: text.optional(),
    region: text.optional(),
    endpoint: text.optional().describe('An origin such as https://minio.example:9000; default scheme https'),
    profile: text.optional().describe('Profile of the shared AWS config; implies env_auth'),
    storage_class: text.optional().describe('Storage class of new objects that do not specify one'),
    force_path_style: flag.optional().describe('Put the bucket in the path instead of the host name'),
    accelerate: z.enum(['auto', 'on', 'off']).default('off').describe('S3 Transfer Acceleration for object data'),
    requester_pays: flag.default(false),
    etag_is_md5: flag
      .optional()
      .describe(
        'Whether ETags are MD5s (and those of multipart objects MD5s of MD5s); default: what the provider promises',
      ),
    prices: pricesSchema,
  })
  .superRefine((config, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const chain = config.env_auth || config.profile !== undefined;
    if ((config.access_key_id === undefined) !== (config.secret_access_key === undefined)) {
      issue('secret_access_key', 'set both access_key_id and secret_access_key, or neither');
    }
    if (config.access_key_id === undefined && !chain) {
      issue('access_key_id', 'set access_key_id and secret_access_key, or env_auth: true, or a profile');
    }
    const preset = PRESETS[providerOf(config)];
    if (config.endpoint === undefined && preset.endpoint === undefined) {
      issue('endpoint', `provider ${providerOf(config)} needs an endpoint`);
    }
    if (config.endpoint !== undefined && originOf(config.endpoint) === undefined) {
      issue('endpoint', 'must be an origin without a path, such as https://s3.example.com');
    }
    if (config.accelerate !== 'off' && (providerOf(config) !== 'aws' || config.endpoint !== undefined)) {
      issue('accelerate', 'transfer acceleration exists only at AWS outside China, on its own endpoints');
    }
  });

export type S3Config = z.infer<typeof s3ConfigSchema>;
export type S3Provider = (typeof PROVIDERS)[number];

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** What depends on the provider. */
export interface S3Preset {
  /** The regional endpoint; absent where the user must set it. */
  endpoint?: (region: string) => string;
  /** Used when neither the config, the environment, nor the profile names one. */
  defaultRegion: string;
  pathStyle: boolean;
  orderedListing: 'yes' | 'unknown';
  minPartSize: number;
  maxObjectSize: number;
  /** ETags of single puts and of parts are MD5s, whatever the bucket's encryption. */
  partEtagIsMd5: boolean;
  /**
   * ETags that look like an MD5, or like an MD5 of the parts' MD5s, are one, whoever wrote the object. Where this is not
   * promised, they are only a hint. Encrypted objects are excepted.
   */
  etagIsMd5: boolean;
  /** Requests per second, where the provider documents a limit. */
  requestRates?: { read: number; write: number };
  /** Bytes of user metadata. */
  maxMetadata: number;
  /** The provider supports `x-amz-checksum-mode: ENABLED`. */
  checksumMode: boolean;
  /** CreateBucket must name the region in its body. */
  locationConstraint: boolean;
  /** The provider obeys `x-amz-copy-source-if-match`. Otherwise a HEAD is sent first. */
  copyIfMatch: boolean;
  /** Metadata names may contain `_`. Otherwise the store would change it to `-`. */
  metadataUnderscore: boolean;
  /** ListMultipartUploads reports whether it encoded keys. Otherwise unencoded keys are requested. */
  encodesUploads: boolean;
  /** Keys may contain NUL. */
  nul: boolean;
}

const COMPATIBLE: S3Preset = {
  defaultRegion: 'us-east-1',
  pathStyle: true,
  orderedListing: 'yes',
  minPartSize: 5 * MiB,
  maxObjectSize: 5 * 1024 * GiB,
  partEtagIsMd5: true,
  etagIsMd5: true,
  maxMetadata: 2048,
  checksumMode: false,
  locationConstraint: false,
  copyIfMatch: true,
  metadataUnderscore: true,
  encodesUploads: true,
  nul: true,
};

const AWS: S3Preset = {
  ...COMPATIBLE,
  endpoint: (region) => `https://s3.${region}.amazonaws.com`,
  pathStyle: false,
  // 10,000 parts of 5 GiB.
  maxObjectSize: 50_000 * GiB,
  // A bucket's default encryption may be SSE-KMS. Only the responses show that.
  partEtagIsMd5: false,
  // Per prefix (https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
  requestRates: { read: 5_500, write: 3_500 },
  checksumMode: true,
  locationConstraint: true,
};

const VIRTUAL: S3Preset = {
  ...COMPATIBLE,
  pathStyle: false,
  locationConstraint: true,
  minPartSize: 100 * 1024,
  // These compute the ETags of multipart objects in ways of their own, which rclone does not compare either.
  etagIsMd5: false,
};

const PRESETS: Record<S3Provider, S3Preset> = {
  aws: AWS,
  'aws-cn': {
    ...AWS,
    endpoint: (region) => `https://s3.${region}.amazonaws.com.cn`,
    defaultRegion: 'cn-north-1',
  },
  minio: COMPATIBLE,
  // Observed in RGW 16, which also ignores x-amz-copy-source-if-match.
  ceph: {
    ...COMPATIBLE,
    defaultRegion: 'default',
    copyIfMatch: false,
    metadataUnderscore: false,
    encodesUploads: false,
    nul: false,
  },
  // R2 requires all parts but the last to have the same size. The planner's parts do. ETags of objects uploaded in parts
  // before June 2023 are random (https://developers.cloudflare.com/r2/objects/multipart-objects/).
  r2: { ...COMPATIBLE, defaultRegion: 'auto', etagIsMd5: false },
  oss: {
    ...VIRTUAL,
    endpoint: (region) => `https://s3.oss-${region}.aliyuncs.com`,
    defaultRegion: 'cn-hangzhou',
    maxObjectSize: 50_000 * GiB,
    maxMetadata: 8192,
  },
  cos: {
    ...VIRTUAL,
    endpoint: (region) => `https://cos.${region}.myqcloud.com`,
    defaultRegion: 'ap-guangzhou',
    minPartSize: MiB,
  },
  obs: {
    ...VIRTUAL,
    endpoint: (region) => `https://obs.${region}.myhuaweicloud.com`,
    defaultRegion: 'cn-north-4',
  },
  other: { ...COMPATIBLE, orderedListing: 'unknown', partEtagIsMd5: false, etagIsMd5: false },
};

/** The config's provider. The default is `aws`, or `other` when the config sets an endpoint. */
export function providerOf(config: { provider?: S3Provider; endpoint?: string }): S3Provider {
  return config.provider ?? (config.endpoint === undefined ? 'aws' : 'other');
}

/** The preset of the config's provider, with what the config overrides. */
export function presetOf(config: { provider?: S3Provider; endpoint?: string; etag_is_md5?: boolean }): S3Preset {
  const preset = PRESETS[providerOf(config)];
  const { etag_is_md5: is } = config;
  return is === undefined ? preset : { ...preset, partEtagIsMd5: is, etagIsMd5: is };
}

/** ETags that the store returns for what was just written are MD5s, unless the response says that it was encrypted. */
export function writtenEtagIsMd5({ partEtagIsMd5, etagIsMd5 }: S3Preset): boolean {
  return partEtagIsMd5 || etagIsMd5;
}

/** The endpoint as an origin; undefined when it is not one. */
export function originOf(endpoint: string): string | undefined {
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
    const bare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
    return bare && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : undefined;
  } catch {
    return undefined;
  }
}
