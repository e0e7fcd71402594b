/** Where a remote's credentials come from, as plain data: read off the config and the environment, without a request. */
import { XsyncError } from '../../model/error.js';
import type { Credentials } from './sign.js';

/** Settings of STS that a role may need. */
export interface Assumption {
  roleArn: string;
  sessionName?: string;
  externalId?: string;
  policy?: string;
  durationSeconds?: number;
  /** Host of STS. */
  stsEndpoint?: string;
  stsRegion?: string;
  /** Ask STS over the VPC. */
  vpc?: boolean;
}

export type Keys = { kind: 'keys' } & Credentials;

export type Recipe =
  | Keys
  | ({ kind: 'role'; from: Recipe } & Assumption)
  | ({ kind: 'oidc'; providerArn: string; tokenFile: string } & Assumption)
  /** Without a name, the metadata service is asked for it. */
  | { kind: 'ecs'; role?: string }
  | { kind: 'uri'; uri: string }
  | { kind: 'process'; command: string }
  /** A profile of the Alibaba Cloud CLI or SDKs, read when credentials are needed. */
  | { kind: 'profile'; profile: string }
  /** The default profile, or else the role of this ECS instance. */
  | { kind: 'default' };

/** The settings of a remote that name the source. */
export interface SourceConfig {
  access_key_id?: string;
  secret_access_key?: string;
  session_token?: string;
  env_auth: boolean;
  profile?: string;
  ecs_role?: string;
  credentials_uri?: string;
  credential_process?: string;
  role_arn?: string;
  role_session_name?: string;
  role_external_id?: string;
  oidc_provider_arn?: string;
  oidc_token_file?: string;
  sts_endpoint?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Undefined when the config names no source.
 * @throws config: for a source that is named in part
 */
export function recipeOf(config: SourceConfig, env: Environment): Recipe | undefined {
  const { role_arn: roleArn, oidc_provider_arn: providerArn, oidc_token_file: tokenFile } = config;
  const role = roleArn === undefined ? undefined : { ...assumption(config), roleArn };
  if (role && providerArn !== undefined && tokenFile !== undefined) {
    return { kind: 'oidc', providerArn, tokenFile, ...role };
  }
  const own = ownRecipe(config) ?? (config.env_auth ? fromEnvironment(env) : undefined);
  return role && own ? { kind: 'role', from: own, ...role } : own;
}

function assumption(config: SourceConfig): Omit<Assumption, 'roleArn'> {
  return {
    sessionName: config.role_session_name,
    externalId: config.role_external_id,
    stsEndpoint: config.sts_endpoint,
  };
}

function ownRecipe(config: SourceConfig): Recipe | undefined {
  const { access_key_id: accessKeyId, secret_access_key: accessKeySecret, session_token: securityToken } = config;
  if (accessKeyId !== undefined && accessKeySecret !== undefined) {
    return { kind: 'keys', accessKeyId, accessKeySecret, securityToken };
  }
  if (accessKeyId !== undefined) throw halfSet('access_key_id', 'secret_access_key');
  if (accessKeySecret !== undefined) throw halfSet('secret_access_key', 'access_key_id');
  if (config.profile !== undefined) return { kind: 'profile', profile: config.profile };
  if (config.ecs_role !== undefined) return { kind: 'ecs', role: config.ecs_role };
  if (config.credentials_uri !== undefined) return uriRecipe(config.credentials_uri, 'credentials_uri');
  if (config.credential_process !== undefined) return { kind: 'process', command: config.credential_process };
  return undefined;
}

/** In the order of the Alibaba Cloud SDKs, after the variables of OSS. Empty variables count as absent. */
function fromEnvironment(env: Environment): Recipe {
  const oss = keysIn(env, 'OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET', ['OSS_SESSION_TOKEN', 'OSS_STS_TOKEN']);
  if (oss) return oss;
  const prefix = 'ALIBABA_CLOUD';
  const roleArn = env[`${prefix}_ROLE_ARN`] || undefined;
  const role = roleArn === undefined ? undefined : { ...assumptionIn(env), roleArn };
  const tokenFile = env[`${prefix}_OIDC_TOKEN_FILE`] || undefined;
  const keys = keysIn(env, `${prefix}_ACCESS_KEY_ID`, `${prefix}_ACCESS_KEY_SECRET`, [`${prefix}_SECURITY_TOKEN`]);
  // A pod with RRSA has the variables of its role even if it is given keys.
  if (keys) return role && tokenFile === undefined ? { kind: 'role', from: keys, ...role } : keys;
  if (tokenFile !== undefined) return oidcIn(env, tokenFile, role);
  const profile = env[`${prefix}_PROFILE`];
  if (profile) return { kind: 'profile', profile };
  const uri = env[`${prefix}_CREDENTIALS_URI`];
  if (uri) return uriRecipe(uri, `${prefix}_CREDENTIALS_URI`);
  const ecs = env[`${prefix}_ECS_METADATA`];
  return ecs ? { kind: 'ecs', role: ecs } : { kind: 'default' };
}

function keysIn(env: Environment, id: string, secret: string, tokens: readonly string[]): Keys | undefined {
  const [accessKeyId, accessKeySecret] = [env[id]?.trim(), env[secret]?.trim()];
  if (!accessKeyId && !accessKeySecret) return undefined;
  if (!accessKeyId) throw halfSet(secret, id);
  if (!accessKeySecret) throw halfSet(id, secret);
  const securityToken = tokens.map((name) => env[name]?.trim()).find(Boolean);
  return { kind: 'keys', accessKeyId, accessKeySecret, securityToken };
}

function oidcIn(env: Environment, tokenFile: string, role: Assumption | undefined): Recipe {
  const providerArn = env.ALIBABA_CLOUD_OIDC_PROVIDER_ARN;
  if (!role) throw halfSet('ALIBABA_CLOUD_OIDC_TOKEN_FILE', 'ALIBABA_CLOUD_ROLE_ARN');
  if (!providerArn) throw halfSet('ALIBABA_CLOUD_OIDC_TOKEN_FILE', 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN');
  return { kind: 'oidc', providerArn, tokenFile, ...role };
}

function assumptionIn(env: Environment): Omit<Assumption, 'roleArn'> {
  return {
    sessionName: env.ALIBABA_CLOUD_ROLE_SESSION_NAME || undefined,
    externalId: env.ALIBABA_CLOUD_EXTERNAL_ID || undefined,
    stsEndpoint: env.ALIBABA_CLOUD_STS_ENDPOINT || undefined,
    stsRegion: env.ALIBABA_CLOUD_STS_REGION || undefined,
    vpc: env.ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED?.toLowerCase() === 'true' || undefined,
  };
}

/** The URI may contain a secret: an error does not repeat it. */
export function uriRecipe(uri: string, where: string): Recipe {
  if (/^https?:$/.test(URL.canParse(uri) ? new URL(uri).protocol : '')) return { kind: 'uri', uri };
  throw new XsyncError('config', `${where} is not an http or https URL`, { subject: where });
}

function halfSet(set: string, missing: string): XsyncError {
  return new XsyncError('config', `${set} is set, but ${missing} is not`, {
    subject: missing,
    remedy: `Set ${missing}, or unset ${set}.`,
  });
}

/** Tells accounts apart; stays the same when credentials are renewed. May contain secrets: only its hash is kept. */
export function accountOf(recipe: Recipe): string {
  switch (recipe.kind) {
    case 'uri':
      return recipe.uri;
    case 'process':
      return recipe.command;
    default:
      return nameOf(recipe);
  }
}

/** The source in words, without a secret. */
export function nameOf(recipe: Recipe): string {
  switch (recipe.kind) {
    case 'keys':
      return recipe.accessKeyId;
    case 'role':
    case 'oidc':
      return `role ${recipe.roleArn}`;
    case 'ecs':
      return recipe.role === undefined ? 'the RAM role of this ECS instance' : `ECS RAM role ${recipe.role}`;
    case 'uri':
      return `credentials URI ${new URL(recipe.uri).origin}`;
    case 'process':
      return `credential process ${recipe.command.split(/\s/, 1)[0]}`;
    case 'profile':
      return `profile "${recipe.profile}"`;
    case 'default':
      return 'the Alibaba Cloud credential chain';
  }
}
