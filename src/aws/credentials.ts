/**
 * Credentials from the AWS environment. A source that a person chose is used or is an error: a profile that does not
 * work never leads to the role of the machine, which may belong to somebody else's bucket.
 */
import { XsyncError } from '../model/error.js';
import { quietSdk } from './quiet.js';
import { refusalOfChain } from './refusals.js';
import { awsSettings, type Environment } from './settings.js';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** When they expire, in milliseconds since 1970; absent for permanent credentials. */
  expiresMs?: number;
}

/** How STS and SSO are reached. */
export interface AwsMeans {
  /** STS is asked in this region. */
  region: string;
  /** For the SDK's HTTP handler: agents that know proxies and certificates. */
  requestHandler?: object;
}

/**
 * Fetches credentials: from the named profile; else from the variables; else from the profile `default` if it has any;
 * else from web identity, the container or the machine. Reads the files anew each time.
 * @param profile from the config; default: AWS_PROFILE
 * @throws config, bad-credentials, expired-credentials
 */
export async function fetchCredentials(
  profile: string | undefined,
  { region, requestHandler }: AwsMeans,
  env: Environment,
): Promise<AwsCredentials> {
  const { name, named, hasCredentials } = (await awsSettings(profile, 'S3', env)).profile;
  quietSdk();
  const direct = named ? undefined : fromVariables(env);
  if (direct !== undefined) return direct;
  const means = {
    ignoreCache: true,
    clientConfig: { requestHandler },
    parentClientConfig: { region, requestHandler },
    logger: SILENT,
  };
  try {
    return checked(await (named || hasCredentials ? fromProfile(name, means) : fromMachine(means)));
  } catch (error) {
    if (error instanceof XsyncError) throw error;
    throw refusalOfChain(error, named || hasCredentials ? name : undefined);
  }
}

type Means = Readonly<Record<string, unknown>>;
type Found = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration?: Date };

async function fromProfile(profile: string, means: Means): Promise<Found> {
  const { fromIni } = await import('@aws-sdk/credential-provider-ini');
  return fromIni({ profile, ...means })();
}

/** Web identity, the container or the machine: variables and profiles were asked before. */
async function fromMachine(means: Means): Promise<Found> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider(means)();
}

/** @throws config: when one half of the keys is missing */
function fromVariables(env: Environment): AwsCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '', AWS_SESSION_TOKEN: token = '' } = env;
  if (id.trim() === '' && secret.trim() === '') return undefined;
  if (id.trim() === '' || secret.trim() === '') {
    const missing = id.trim() === '' ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new XsyncError('config', `the environment has one half of the AWS keys; ${missing} is not set`, {
      subject: missing,
      remedy: 'Set both variables or neither.',
    });
  }
  const expiresMs = Date.parse(env.AWS_CREDENTIAL_EXPIRATION ?? '');
  return checked({
    accessKeyId: id,
    secretAccessKey: secret,
    sessionToken: token,
    ...(!Number.isNaN(expiresMs) && { expiration: new Date(expiresMs) }),
  });
}

/** Without the newline of a secret made with echo. @throws config: for what cannot be a key */
function checked({ accessKeyId, secretAccessKey, sessionToken, expiration }: Found): AwsCredentials {
  const keys: AwsCredentials = { accessKeyId: accessKeyId.trim(), secretAccessKey: secretAccessKey.trim() };
  const token = sessionToken?.trim();
  if (token) keys.sessionToken = token;
  if (expiration !== undefined) keys.expiresMs = expiration.getTime();
  if (!HEADER_SAFE.test(keys.accessKeyId) || !HEADER_SAFE.test(token || '-')) {
    const what = HEADER_SAFE.test(keys.accessKeyId) ? 'session token' : 'access key ID';
    throw new XsyncError('config', `the ${what} in the AWS environment contains characters that no key has`, {
      remedy: 'Copy it again, without blanks and line breaks.',
    });
  }
  return keys;
}

/** What an access key ID and a session token consist of: they are sent in headers. */
const HEADER_SAFE = /^[!-~]+$/;

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
