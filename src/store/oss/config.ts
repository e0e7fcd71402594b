/** The config of an `oss` remote: its schema, and its resolution against the environment. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { XsyncError } from '../../model/error.js';
import { connectionShape } from '../http/settings.js';
import type { StoreIdentity } from '../port.js';
import { pricesSchema } from '../prices/config.js';
import {
  ACCELERATED,
  type Endpoints,
  endpointOrigin,
  isPathStyle,
  namesOf,
  regionalOrigin,
  regionId,
  regionOfEndpoint,
  serviceName,
} from './endpoint.js';
import type { NewObjectSettings } from './metadata.js';
import { accountOf, type Recipe, recipeOf } from './recipe.js';
import { type Credentials, type Signer, SignerV1, SignerV4 } from './sign.js';

const text = z.string().trim().min(1);
/** Keys and tokens are sent in headers. */
const inHeaders = text.regex(/^[!-~]+$/, 'must consist of printable ASCII characters without blanks');

/** `oss-cn-shanghai` and `cn-shanghai` are the same region. */
const region = text.transform(regionName);

const endpoint = text.transform((value, context) => {
  const origin = endpointOrigin(value);
  if (origin !== undefined) return origin;
  context.addIssue({ code: 'custom', message: 'must be a host name, with or without http:// or https://' });
  return z.NEVER;
});

const accelerateEndpoint = z.union([
  z.enum(['global', 'overseas']),
  // A name without a dot is a misspelled keyword.
  endpoint.refine((origin) => origin.includes('.'), 'must be global, overseas, or a domain of the bucket'),
]);

/** Settings that name a source of credentials; keys are one, too. */
const SOURCES = ['access_key_id', 'profile', 'ecs_role', 'credentials_uri', 'credential_process'] as const;

export const ossConfigSchema = z
  .strictObject({
    type: z.literal('oss'),
    region: region.optional().describe('Region of the bucket, such as cn-shanghai; required for V4 signatures'),
    endpoint: endpoint.optional().describe('Host of the service; default: the public endpoint of the region'),
    cname: z
      .boolean()
      .default(false)
      .describe(
        'The endpoint is a custom domain that is mapped to the bucket, which is then not part of the host name',
      ),
    internal: z
      .boolean()
      .default(false)
      .describe('Use the internal endpoint, which is available only inside the region'),
    access_key_id: inHeaders.optional(),
    secret_access_key: text.optional(),
    session_token: inHeaders.optional().describe('Security token of temporary (STS) credentials'),
    env_auth: z
      .boolean()
      .default(false)
      .describe(
        'Read settings that are absent here from OSS_* and ALIBABA_CLOUD_* variables, then from the default profile of the Alibaba Cloud CLI, then from the RAM role of the ECS instance',
      ),
    profile: text.optional().describe('Profile in ~/.aliyun/config.json or ~/.alibabacloud/credentials'),
    ecs_role: text.optional().describe('RAM role of the ECS instance that xsync runs on'),
    credentials_uri: text.optional().describe('URL that returns temporary credentials'),
    credential_process: text.optional().describe('Program, with arguments, that prints credentials as JSON'),
    role_arn: text.optional().describe('RAM role to assume with the credentials, or with the OIDC token'),
    role_session_name: text.optional().describe('Name of the session in the logs of the role; default xsync'),
    role_external_id: text.optional().describe('External ID that the role requires'),
    oidc_provider_arn: text.optional().describe('OIDC provider whose token assumes role_arn (RRSA)'),
    oidc_token_file: text.optional().describe('File with the OIDC token'),
    sts_endpoint: text.optional().describe('Host of STS; default sts.aliyuncs.com'),
    signature_version: z.enum(['v4', 'v1']).default('v4').describe('v1 only for old accounts and buckets'),
    /** `on` sends object data to the accelerated endpoint. open.ts resolves `auto`; the store treats it as `off`. */
    accelerate: z.enum(['auto', 'on', 'off']).default('off').describe('Transfer acceleration for data; billed per GB'),
    accelerate_endpoint: accelerateEndpoint
      .default('global')
      .describe('global, overseas, or a custom domain that is mapped to the accelerated endpoint of the bucket'),
    storage_class: text.optional().describe('Storage class of new objects; default: that of the bucket'),
    server_side_encryption: z
      .enum(['AES256', 'KMS', 'SM4'])
      .optional()
      .describe('Encryption of new objects; default: that of the bucket'),
    sse_kms_key_id: inHeaders.optional().describe('KMS key for server_side_encryption: KMS'),
    sse_kms_data_encryption: z
      .literal('SM4')
      .optional()
      .describe('Algorithm for server_side_encryption: KMS; default: AES256'),
    ...connectionShape,
    prices: pricesSchema,
  })
  .superRefine((config, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const [first, second] = SOURCES.filter((key) => config[key] !== undefined);
    if (second !== undefined) issue(second, `must not be set together with ${first}`);
    const { oidc_provider_arn: provider, oidc_token_file: token, role_arn: role } = config;
    if ((provider === undefined) !== (token === undefined) || (provider !== undefined && role === undefined)) {
      issue('oidc_token_file', 'set role_arn, oidc_provider_arn and oidc_token_file, or none of the last two');
    }
    for (const key of ['sse_kms_key_id', 'sse_kms_data_encryption'] as const) {
      if (config[key] !== undefined && config.server_side_encryption !== 'KMS') {
        issue(key, 'needs server_side_encryption: KMS');
      }
    }
    if (provider !== undefined && first !== undefined) issue(first, 'must not be set together with oidc_provider_arn');
  });

/** As written in the config file. */
export type OssConfigInput = z.input<typeof ossConfigSchema>;
/** Parsed: regions without prefix, endpoints as origins. */
export type OssConfig = z.output<typeof ossConfigSchema>;

/** The complete settings of a store. */
export interface OssSettings {
  /** As signatures name it. */
  region: string;
  endpoints: Endpoints;
  /** Those of the endpoints that are domains of the bucket: its name is not part of the address. */
  domains: readonly string[];
  /** Where buckets are created, which their own domains cannot do. */
  service: string;
  /**
   * Names the place of the bucket in manifests: the public endpoint of the region, whatever the endpoint in use, or the
   * endpoint of another service.
   */
  home: string;
  recipe: Recipe;
  signerOf(credentials: Credentials): Signer;
  signatureVersion: 'v4' | 'v1';
  /** What the headers of new objects say besides what their source tells. */
  newObjects: NewObjectSettings;
  /** First 12 hex digits of the SHA-256 of the access key ID, or of where the credentials come from. */
  account: string;
}

/**
 * Completes a config from the environment (with `env_auth`) and from the endpoint's name.
 * @throws config: when the source of credentials or the region is missing, or the endpoint cannot be right
 */
export function resolveOssConfig(config: OssConfig, env: NodeJS.ProcessEnv = process.env): OssSettings {
  const variables = config.env_auth ? trimmed(env) : {};
  const control = controlOrigin(config, variables);
  const place = placeOf(config, variables, control);
  const region = regionId(place);
  const recipe = recipeOf(config, env);
  if (!recipe) throw missing(config, 'credentials', CREDENTIALS, 'OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET');
  const data = dataOrigin(config, control);
  return {
    region,
    recipe,
    endpoints: { control, data },
    domains: [...(config.cname ? [control] : []), ...(isDomain(data) && data !== control ? [data] : [])],
    service: config.cname && place !== '' ? regionalOrigin(place, config.internal) : control,
    home: homeOf(config, control, place),
    signerOf: (credentials) =>
      config.signature_version === 'v4' ? new SignerV4(credentials, region) : new SignerV1(credentials),
    signatureVersion: config.signature_version,
    newObjects: config,
    account: createHash('sha256').update(accountOf(recipe)).digest('hex').slice(0, 12),
  };
}

/** Variables from files and Kubernetes secrets often end in a newline. */
function trimmed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.trim()]));
}

const CREDENTIALS =
  'access_key_id and secret_access_key, or a profile, ecs_role, credentials_uri or credential_process';

/** `origin` is where the requests go, if that is another host than the one that names the place. */
export function identityOf({ home, endpoints: { control }, account }: OssSettings, bucket: string): StoreIdentity {
  const formerly = [control, ...namesOf(home)].filter((name) => name !== home);
  return { kind: 'oss', endpoint: home, bucket, account, formerly, ...(control !== home && { origin: control }) };
}

function controlOrigin(config: OssConfig, env: NodeJS.ProcessEnv): string {
  const given = config.endpoint ?? (env.OSS_ENDPOINT || undefined);
  if (given !== undefined) {
    const origin = endpointOrigin(given);
    if (origin === undefined) throw new XsyncError('config', 'OSS_ENDPOINT is not a host name', { subject: given });
    return checkEndpoint(origin, config.cname);
  }
  if (config.cname) {
    throw new XsyncError('config', 'cname: true needs an endpoint', {
      remedy: 'Set endpoint to the custom domain of the bucket.',
    });
  }
  const region = config.region ?? regionIn(env);
  if (region === undefined) throw missing(config, 'region or endpoint', 'region (such as cn-shanghai)', 'OSS_REGION');
  return regionalOrigin(region, config.internal);
}

/** @throws config: when the bucket's name is in the endpoint, or missing from it */
function checkEndpoint(origin: string, cname: boolean): string {
  const service = serviceName(origin);
  if (service === undefined) return origin;
  if (cname && service.bucket === undefined) {
    throw new XsyncError('config', `cname: true needs a domain of the bucket; ${service.host} is a service`, {
      subject: service.host,
      remedy: 'Set endpoint to the custom domain that is mapped to the bucket, or remove cname.',
    });
  }
  if (!cname && service.bucket !== undefined) {
    throw new XsyncError('config', `the endpoint already contains the name of the bucket "${service.bucket}"`, {
      subject: new URL(origin).hostname,
      remedy: `Set endpoint: ${service.host} and name the bucket in the location.`,
    });
  }
  return origin;
}

function dataOrigin({ accelerate, accelerate_endpoint: chosen }: OssConfig, control: string): string {
  if (accelerate !== 'on') return control;
  return chosen === 'global' || chosen === 'overseas' ? ACCELERATED[chosen] : chosen;
}

/** An accelerated endpoint that is not Alibaba's is mapped to the bucket. */
function isDomain(origin: string): boolean {
  const service = serviceName(origin);
  return service === undefined || service.bucket !== undefined;
}

/** The console and the SDKs spell one region `OSS-CN-HANGZHOU`, `oss-cn-hangzhou` and `cn-hangzhou`. */
function regionName(name: string): string {
  return name.toLowerCase().replace(/^oss-/, '');
}

function regionIn(env: NodeJS.ProcessEnv): string | undefined {
  return env.OSS_REGION ? regionName(env.OSS_REGION) : undefined;
}

/** The region, or the place that an endpoint of the region names. */
function placeOf(config: OssConfig, env: NodeJS.ProcessEnv, control: string): string {
  const region = config.region ?? regionIn(env) ?? regionOfEndpoint(control);
  if (region !== undefined) return region;
  if (config.signature_version === 'v1') return '';
  throw missing(config, 'region', 'region (such as cn-shanghai), which V4 signatures need', 'OSS_REGION');
}

/** Bucket names are unique in Alibaba Cloud: its endpoints of one region lead to one bucket. */
function homeOf({ cname }: OssConfig, control: string, place: string): string {
  const service = serviceName(control);
  const known = service?.place ?? place;
  const alibaba = service !== undefined || (cname && !isPathStyle(new URL(control).hostname));
  return alibaba && known !== '' ? regionalOrigin(known.replace(/^(cn-hzjbp)-[ab]$/, '$1'), false) : control;
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
