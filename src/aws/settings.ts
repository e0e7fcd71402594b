/**
 * What the AWS environment and the shared config files say, in the AWS CLI's order: variables first, then the profile
 * (https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html, .../feature-ss-endpoints.html).
 */
import { XsyncError } from '../model/error.js';

export type Environment = Readonly<Record<string, string | undefined>>;
type Section = Readonly<Record<string, string | undefined>>;

export interface AwsSettings {
  profile: AwsProfile;
  region?: string;
  /** `from`: the variable or the section, for messages. */
  endpoint?: { url: string; from: string };
  /** The file of AWS_CA_BUNDLE or `ca_bundle`. */
  caBundle?: string;
  dualstack?: boolean;
  fips?: boolean;
  /** `addressing_style` of the profile's section for S3. */
  addressing?: 'path' | 'virtual';
}

export interface AwsProfile {
  name: string;
  /** A person named it, so nothing may take its place. False for `default`, which need not exist. */
  named: boolean;
  /** It says where credentials come from. */
  hasCredentials: boolean;
}

/** Any of these in a profile says where its credentials come from. */
const CREDENTIALS =
  /^(aws_access_key_id|aws_secret_access_key|role_arn|source_profile|credential_source|credential_process|web_identity_token_file|login_session|sso_\w+)$/;

/** The name of the profile to use; undefined: nobody named one. */
export function namedProfile(profile: string | undefined, env: Environment): string | undefined {
  const name = profile ?? env.AWS_PROFILE?.trim();
  return name === '' || name === 'default' ? undefined : name;
}

/**
 * @param profile from the config; default: AWS_PROFILE, then `default`
 * @param service as in `AWS_ENDPOINT_URL_<SERVICE>`
 * @throws config: when the named profile does not exist
 */
export async function awsSettings(
  profile: string | undefined,
  service: 'S3' | 'SQS',
  env: Environment,
): Promise<AwsSettings> {
  // Runs with static keys load neither this nor the SDK.
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const files = await loadSharedConfigFiles({ ignoreCache: true });
  const named = namedProfile(profile, env);
  const name = named ?? 'default';
  const found = { ...files.configFile[name], ...files.credentialsFile[name] };
  if (named !== undefined && !files.configFile[name] && !files.credentialsFile[name]) throw missing(name, profile);
  const section: Section = { ...found, ...files.configFile[name] };
  const services: Section = files.configFile[`services.${section.services ?? ''}`] ?? {};
  const addressing = section['s3.addressing_style'];
  return {
    profile: {
      name,
      named: named !== undefined,
      hasCredentials: Object.keys(found).some((key) => CREDENTIALS.test(key)),
    },
    region: first(env.AWS_REGION, env.AWS_DEFAULT_REGION, section.region),
    endpoint: endpointOf(service, env, section, services),
    caBundle: first(env.AWS_CA_BUNDLE, section.ca_bundle),
    dualstack: switchOf(
      ['AWS_USE_DUALSTACK_ENDPOINT', env.AWS_USE_DUALSTACK_ENDPOINT],
      ['use_dualstack_endpoint', section.use_dualstack_endpoint ?? section['s3.use_dualstack_endpoint']],
    ),
    fips: switchOf(
      ['AWS_USE_FIPS_ENDPOINT', env.AWS_USE_FIPS_ENDPOINT],
      ['use_fips_endpoint', section.use_fips_endpoint],
    ),
    ...((addressing === 'path' || addressing === 'virtual') && { addressing }),
  };
}

function endpointOf(service: string, env: Environment, section: Section, services: Section): AwsSettings['endpoint'] {
  if (isTrue(env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS) || isTrue(section.ignore_configured_endpoint_urls))
    return undefined;
  const own = `AWS_ENDPOINT_URL_${service}`;
  const candidates: readonly (readonly [string, string | undefined])[] = [
    [own, env[own]],
    ['AWS_ENDPOINT_URL', env.AWS_ENDPOINT_URL],
    [`endpoint_url of the services section "${section.services}"`, services[`${service.toLowerCase()}.endpoint_url`]],
    ['endpoint_url of the AWS profile', section.endpoint_url],
  ];
  for (const [from, value] of candidates) {
    const url = first(value);
    if (url !== undefined) return { url, from };
  }
  return undefined;
}

/** The first that is set. Variables from a file or a secret often end in a newline. */
function first(...values: readonly (string | undefined)[]): string | undefined {
  return values.map((value) => value?.trim()).find((value) => value !== undefined && value !== '');
}

function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === 'true';
}

/** @throws config: for a value other than true and false, which the AWS CLI refuses as well */
function switchOf(...candidates: readonly (readonly [string, string | undefined])[]): boolean | undefined {
  const [name, value] = candidates.find(([, text]) => first(text) !== undefined) ?? [];
  const text = first(value)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new XsyncError('config', `${name} must be true or false`, { subject: name });
}

function missing(name: string, configured: string | undefined): XsyncError {
  const from = configured === undefined ? ' (AWS_PROFILE)' : '';
  return new XsyncError('config', `the AWS profile "${name}"${from} does not exist`, {
    subject: name,
    remedy:
      'Check the name, and AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE if they are set; "aws configure list-profiles" shows the profiles.',
  });
}
