/** The settings of an `s3` remote. Keys have rclone's names, so that a config can be moved to xsync. */
import * as z from 'zod';
import { connectionShape } from '../http/settings.js';
import { pricesSchema } from '../prices/config.js';
import { type CustomerKey, KEY_SETTINGS, namesKey } from './customer-key.js';
import { isAws, PRESETS, PROVIDERS, providerOf, RCLONE_PROVIDERS, type S3Preset } from './presets.js';
import { QUIRKS } from './quirks.js';

const provider = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const lower = value.toLowerCase();
  return RCLONE_PROVIDERS[lower] ?? lower;
}, z.enum(PROVIDERS));

/** Text is separated by commas, as in environment variables. */
const quirks = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').flatMap((name) => name.trim() || []) : value),
  z.array(z.enum(QUIRKS)),
);

/** Environment variables hold booleans as text. */
const flag = z.union([z.boolean(), z.stringbool()]);
/** Secrets that come from files and from `echo` end in a newline. */
const text = z.string().trim().min(1);
const inHeaders = text.regex(/^[!-~]+$/, 'must consist of printable ASCII characters without blanks');
const secret = text.regex(/^\P{Cc}+$/u, 'must not contain line breaks or other control characters');
const word = text.regex(/^[\w:./-]+$/, 'must be one word, as the service documents it');

export const s3ConfigSchema = z
  .strictObject({
    type: z.literal('s3'),
    provider: provider.optional().describe('Sets endpoint, addressing and limits; default aws if there is no endpoint'),
    env_auth: flag
      .default(false)
      .describe('Use the AWS credential chain: environment, profile, SSO, web identity, IMDS'),
    access_key_id: inHeaders.optional(),
    secret_access_key: secret.optional(),
    session_token: inHeaders.optional(),
    region: text.optional(),
    endpoint: text
      .optional()
      .describe('Address such as https://minio.example:9000, with a path if there is one; default scheme https'),
    profile: text.optional().describe('Profile of the shared AWS config; implies env_auth'),
    storage_class: text.optional().describe('Storage class of new objects that do not specify one'),
    force_path_style: flag.optional().describe('Put the bucket in the path instead of the host name'),
    accelerate: z.enum(['auto', 'on', 'off']).default('off').describe('S3 Transfer Acceleration for object data'),
    use_dualstack_endpoint: flag.optional().describe("AWS's endpoints that also have IPv6 addresses"),
    use_fips_endpoint: flag.optional().describe("AWS's endpoints with FIPS 140 cryptography"),
    requester_pays: flag.default(false).describe('Accept the charges of requests to requester-pays buckets'),
    acl: word.optional().describe('Canned ACL of new objects, such as bucket-owner-full-control'),
    server_side_encryption: word.optional().describe('Encryption of new objects: AES256, aws:kms or aws:kms:dsse'),
    sse_kms_key_id: inHeaders.optional().describe('KMS key for server_side_encryption: aws:kms'),
    sse_c_key_file: text
      .optional()
      .describe(
        'File with a 256-bit key that encrypts and decrypts all objects (SSE-C): 32 bytes, base64 or hexadecimal',
      ),
    sse_customer_key: secret.optional().describe('The key itself, as 32 characters; better use sse_c_key_file'),
    sse_customer_key_base64: secret.optional().describe('The key itself in base64; better use sse_c_key_file'),
    etag_is_md5: flag
      .optional()
      .describe(
        'Whether ETags are MD5s (and those of multipart objects MD5s of MD5s); default: what the provider promises',
      ),
    quirks: quirks.optional().describe("How the store differs from Amazon S3, in place of the provider's own list"),
    max_parts: z.coerce.number().int().min(1).max(10_000).optional().describe('Most parts of one upload'),
    ...connectionShape,
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
    const preset: S3Preset = PRESETS[providerOf(config)];
    if (config.endpoint === undefined && preset.endpoint === undefined && !isAws(config)) {
      issue('endpoint', `provider ${providerOf(config)} needs an endpoint`);
    }
    if (config.endpoint !== undefined && endpointIn(config.endpoint) === undefined) {
      issue('endpoint', 'must be an address without user, query and fragment, such as https://s3.example.com');
    }
    if (config.accelerate !== 'off' && (providerOf(config) !== 'aws' || config.endpoint !== undefined)) {
      issue('accelerate', 'transfer acceleration exists only at AWS outside China, on its own endpoints');
    }
    if (config.sse_kms_key_id !== undefined && !config.server_side_encryption?.includes('kms')) {
      issue('sse_kms_key_id', 'needs server_side_encryption: aws:kms');
    }
    const [given, second] = KEY_SETTINGS.filter((key) => config[key] !== undefined);
    if (second !== undefined) issue(second, `must not be set together with ${given}`);
    if (given !== undefined && config.server_side_encryption !== undefined) {
      issue('server_side_encryption', `must not be set together with ${given}`);
    }
    if (given !== undefined && config.etag_is_md5) {
      issue('etag_is_md5', `must not be true together with ${given}: ETags of objects with a key are no MD5s`);
    }
    if (namesKey(config) && providerOf(config) === 'oss') {
      issue(given ?? 'sse_c_key_file', 'OSS has no encryption with keys of its customers: use server_side_encryption');
    }
    for (const key of ['use_dualstack_endpoint', 'use_fips_endpoint'] as const) {
      if (config[key] && (!isAws(config) || config.endpoint !== undefined)) {
        issue(key, "exists only among AWS's own endpoints");
      }
    }
  });

export type S3Config = z.infer<typeof s3ConfigSchema> & {
  /** What the settings of the key name, once it was read. */
  customerKey?: CustomerKey;
};

/** The endpoint as a URL: an origin, possibly with a path that ends without a slash; undefined when it is none. */
export function endpointIn(endpoint: string): string | undefined {
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, hash, username, password } = new URL(text);
  const bare = search === '' && hash === '' && username === '' && password === '';
  if (!bare || (protocol !== 'https:' && protocol !== 'http:')) return undefined;
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
