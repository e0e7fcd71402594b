/** The config of an `oss` remote: its schema, and its resolution against the environment. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { XsyncError } from '../../model/error.js';
import { connectionShape } from '../http/settings.js';
import { pricesSchema } from '../prices/config.js';
import { ACCELERATED, type Endpoints, endpointOrigin, regionalOrigin, regionOfEndpoint } from './endpoint.js';
import { type Credentials, type Signer, SignerV1, SignerV4 } from './sign.js';

const text = z.string().trim().min(1);
/** Keys and tokens are sent in headers. */
const HEADER_SAFE = /^[!-~]+$/;
const inHeaders = text.regex(HEADER_SAFE, 'must consist of printable ASCII characters without blanks');

/** `oss-cn-shanghai` and `cn-shanghai` are the same region. */
const region = text.transform((name) => name.toLowerCase().replace(/^oss-/, ''));

const endpoint = text.transform((value, context) => {
  const origin = endpointOrigin(value);
  if (origin !== undefined) return origin;
  context.addIssue({ code: 'custom', message: 'must be a host name, with or without http:// or https://' });
  return z.NEVER;
});

export const ossConfigSchema = z.strictObject({
  type: z.literal('oss'),
  region: region.optional().describe('Region of the bucket, such as cn-shanghai; required for V4 signatures'),
  endpoint: endpoint.optional().describe('Host of the service; default: the public endpoint of the region'),
  internal: z.boolean().default(false).describe('Use the internal endpoint, which is available only inside the region'),
  access_key_id: inHeaders.optional(),
  secret_access_key: text.optional(),
  session_token: inHeaders.optional().describe('Security token of temporary (STS) credentials'),
  env_auth: z
    .boolean()
    .default(false)
    .describe('Read settings that are absent here from the environment variables OSS_* and ALIBABA_CLOUD_*'),
  signature_version: z.enum(['v4', 'v1']).default('v4').describe('v1 only for old accounts and buckets'),
  /** `on` sends object data to the accelerated endpoint. open.ts resolves `auto`; the store treats it as `off`. */
  accelerate: z.enum(['auto', 'on', 'off']).default('off').describe('Transfer acceleration for data; billed per GB'),
  accelerate_endpoint: z.enum(['global', 'overseas']).default('global'),
  storage_class: text.optional().describe('Storage class of new objects; default: that of the bucket'),
  ...connectionShape,
  prices: pricesSchema,
});

/** As written in the config file. */
export type OssConfigInput = z.input<typeof ossConfigSchema>;
/** Parsed: regions without prefix, endpoints as origins. */
export type OssConfig = z.output<typeof ossConfigSchema>;

/** The complete settings of a store. */
export interface OssSettings {
  region: string;
  endpoints: Endpoints;
  credentials: Credentials;
  signer: Signer;
  signatureVersion: 'v4' | 'v1';
  storageClass?: string;
  /** First 12 hex digits of the access key id's SHA-256. */
  account: string;
}

/**
 * Completes a config from the environment (with `env_auth`) and from the endpoint's name.
 * @throws config: when credentials or region are missing
 */
export function resolveOssConfig(config: OssConfig, env: NodeJS.ProcessEnv = process.env): OssSettings {
  const variables = config.env_auth ? trimmed(env) : {};
  const control = controlOrigin(config, variables);
  const region = regionOf(config, variables, control);
  const credentials = credentialsOf(config, variables);
  return {
    region,
    credentials,
    endpoints: { control, data: config.accelerate === 'on' ? ACCELERATED[config.accelerate_endpoint] : control },
    signer: config.signature_version === 'v4' ? new SignerV4(credentials, region) : new SignerV1(credentials),
    signatureVersion: config.signature_version,
    storageClass: config.storage_class,
    account: createHash('sha256').update(credentials.accessKeyId).digest('hex').slice(0, 12),
  };
}

/** Variables from files and Kubernetes secrets often end in a newline. */
function trimmed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.trim()]));
}

function controlOrigin(config: OssConfig, env: NodeJS.ProcessEnv): string {
  const given = config.endpoint ?? env.OSS_ENDPOINT;
  if (given !== undefined) {
    const origin = endpointOrigin(given);
    if (origin === undefined) throw new XsyncError('config', 'OSS_ENDPOINT is not a host name', { subject: given });
    return origin;
  }
  const region = config.region ?? env.OSS_REGION;
  if (region === undefined) throw missing(config, 'region or endpoint', 'region (such as cn-shanghai)', 'OSS_REGION');
  return regionalOrigin(region.replace(/^oss-/, ''), config.internal);
}

function regionOf(config: OssConfig, env: NodeJS.ProcessEnv, control: string): string {
  const region = config.region ?? env.OSS_REGION?.replace(/^oss-/, '') ?? regionOfEndpoint(control);
  if (region !== undefined) return region;
  if (config.signature_version === 'v1') return '';
  throw missing(config, 'region', 'region (such as cn-shanghai), which V4 signatures need', 'OSS_REGION');
}

function credentialsOf(config: OssConfig, env: NodeJS.ProcessEnv): Credentials {
  const { access_key_id, secret_access_key, session_token } = config;
  if (access_key_id !== undefined && secret_access_key !== undefined) {
    return { accessKeyId: access_key_id, accessKeySecret: secret_access_key, securityToken: session_token };
  }
  const [id, secret, token] =
    env.OSS_ACCESS_KEY_ID !== undefined
      ? [env.OSS_ACCESS_KEY_ID, env.OSS_ACCESS_KEY_SECRET, env.OSS_SESSION_TOKEN]
      : [env.ALIBABA_CLOUD_ACCESS_KEY_ID, env.ALIBABA_CLOUD_ACCESS_KEY_SECRET, env.ALIBABA_CLOUD_SECURITY_TOKEN];
  if (id && secret) {
    if (!HEADER_SAFE.test(id) || !HEADER_SAFE.test(token || '-')) throw notAKey();
    return { accessKeyId: id, accessKeySecret: secret, securityToken: token || undefined };
  }
  throw missing(
    config,
    'credentials',
    'access_key_id and secret_access_key',
    'OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET',
  );
}

function notAKey(): XsyncError {
  return new XsyncError('config', 'an OSS key in the environment contains characters that no key has', {
    remedy: 'Copy it again, without blanks and line breaks.',
  });
}

function missing({ env_auth: fromEnvironment }: OssConfig, what: string, keys: string, variables: string): XsyncError {
  return fromEnvironment
    ? new XsyncError('config', `the environment sets no OSS ${what}`, {
        remedy: `Set ${variables}, or add a remote with "xsync config add".`,
      })
    : new XsyncError('config', `the oss remote has no ${what}`, {
        remedy: `Set ${keys} in its config, or env_auth: true and ${variables} in the environment.`,
      });
}
