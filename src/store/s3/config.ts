/** The settings of an `s3` remote. Keys have rclone's names, so that a config can be moved to xsync. */
import { z } from 'zod';
import { pricesSchema } from '../prices/config.js';
import { PRESETS, PROVIDERS, providerOf, RCLONE_PROVIDERS } from './presets.js';
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
    quirks: quirks.optional().describe("How the store differs from Amazon S3, in place of the provider's own list"),
    max_parts: z.coerce.number().int().min(1).max(10_000).optional().describe('Most parts of one upload'),
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
