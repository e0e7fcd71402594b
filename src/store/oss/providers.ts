/**
 * Fetches credentials through @alicloud/credentials 2.4.7, one provider per source. Only the requests and signatures of
 * its providers are used:
 * - Its default chain goes on to the next source after any error. `recipe.ts` chooses one source instead.
 * - Its sessions ask again for every request while a token is about to expire, concurrent requests do not share a
 *   refresh, and expired credentials are returned after a failed one. `renewal.ts` replaces them: `refresher` fetches.
 * - Its errors quote answers, which contain secrets, and its HTTP client knows no proxy and no private CA. Its providers
 *   have a member `doRequest` for tests, which is replaced by our transport.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import {
  type CredentialsProvider,
  ECSRAMRoleCredentialsProvider,
  OIDCRoleArnCredentialsProvider,
  RAMRoleARNCredentialsProvider,
  StaticAKCredentialsProvider,
  StaticSTSCredentialsProvider,
  URICredentialsProvider,
} from '@alicloud/credentials';
import utilities from '@alicloud/credentials/dist/src/utils/command.js';
import * as z from 'zod';
import { reasonOf } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { readDefaultProfile, readProfile } from './profiles.js';
import { askThrough, type Means } from './provider-http.js';
import { type Assumption, type Environment, nameOf, type Recipe } from './recipe.js';
import type { Fetched } from './renewal.js';

/**
 * @throws bad-credentials: the source refuses or is broken; its errors contain no secrets
 * @throws unreachable, timeout, …: the source could not be asked, and may answer later
 */
export async function fetchCredentials(recipe: Recipe, env: Environment, means: Means): Promise<Fetched> {
  switch (recipe.kind) {
    case 'keys':
      return recipe;
    case 'profile':
      return fetchCredentials(await readProfile(recipe.profile, env), env, means);
    case 'default':
      return fetchDefault(env, means);
    case 'process':
      return runProcess(recipe.command);
    case 'uri':
      return session(URICredentialsProvider.builder().withCredentialsURI(recipe.uri).build(), recipe, means);
    case 'ecs':
      return session(ecsProvider(recipe.role, env), recipe, means);
    case 'oidc':
      return session(await oidcProvider(recipe), recipe, means);
    case 'role': {
      const from = await fetchCredentials(recipe.from, env, means);
      const builder = RAMRoleARNCredentialsProvider.builder().withCredentialsProvider(fixedProvider(from));
      // The provider does not take it over from its builder.
      const provider = Object.assign(assuming(builder, recipe).build(), { externalId: recipe.externalId });
      return session(provider, recipe, means);
    }
  }
}

/** The tools' default profile; without one, the role of this ECS instance. */
async function fetchDefault(env: Environment, means: Means): Promise<Fetched> {
  const profile = await readDefaultProfile(env);
  if (profile) return fetchCredentials(profile, env, means);
  try {
    return await fetchCredentials({ kind: 'ecs' }, env, means);
  } catch (cause) {
    if (!isXsyncError(cause, 'bad-credentials', 'unreachable', 'timeout', 'network')) throw cause;
    throw new XsyncError('bad-credentials', 'the environment sets no OSS credentials, and this host has no RAM role', {
      remedy: 'Set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or add a remote with "xsync config add".',
      cause,
    });
  }
}

/** What every provider of the library that asks a service has. */
interface Refresher {
  refresher: () => Promise<{
    accessKeyId: string;
    accessKeySecret: string;
    securityToken: string;
    expiration: string;
  }>;
}

async function session(provider: Refresher, recipe: Recipe, means: Means): Promise<Fetched> {
  const what = nameOf(recipe);
  Object.assign(provider, { doRequest: askThrough(means, what) });
  try {
    const { accessKeyId, accessKeySecret, securityToken, expiration } = await provider.refresher();
    return { accessKeyId, accessKeySecret, securityToken, ...expiry(expiration) };
  } catch (error) {
    if (isXsyncError(error)) throw error;
    // The library's message may quote the answer.
    throw new XsyncError('bad-credentials', `${what}: the answer contains no credentials`, {
      remedy: 'Check the source of the credentials.',
    });
  }
}

function fixedProvider({ accessKeyId, accessKeySecret, securityToken }: Fetched): CredentialsProvider {
  if (securityToken === undefined) {
    const builder = StaticAKCredentialsProvider.builder();
    return builder.withAccessKeyId(accessKeyId).withAccessKeySecret(accessKeySecret).build();
  }
  const builder = StaticSTSCredentialsProvider.builder();
  return builder
    .withAccessKeyId(accessKeyId)
    .withAccessKeySecret(accessKeySecret)
    .withSecurityToken(securityToken)
    .build();
}

function ecsProvider(role: string | undefined, env: Environment): ECSRAMRoleCredentialsProvider {
  const off = (name: string) => env[name]?.toLowerCase() === 'true';
  if (off('ALIBABA_CLOUD_ECS_METADATA_DISABLED')) {
    throw new XsyncError('bad-credentials', 'ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids to ask for the RAM role', {
      remedy: 'Unset it, or set credentials.',
    });
  }
  const builder = ECSRAMRoleCredentialsProvider.builder().withDisableIMDSv1(off('ALIBABA_CLOUD_IMDSV1_DISABLED'));
  return (role === undefined ? builder : builder.withRoleName(role)).build();
}

async function oidcProvider(recipe: Recipe & { kind: 'oidc' }): Promise<OIDCRoleArnCredentialsProvider> {
  const { tokenFile, providerArn } = recipe;
  try {
    await readFile(tokenFile);
  } catch (error) {
    const message = `cannot read the OIDC token ${tokenFile}: ${reasonOf(error)}`;
    throw new XsyncError('bad-credentials', message, { subject: tokenFile, cause: error });
  }
  const builder = OIDCRoleArnCredentialsProvider.builder();
  return assuming(builder.withOIDCTokenFilePath(tokenFile).withOIDCProviderArn(providerArn), recipe).build();
}

/** The part that both of the library's builders of roles share. */
interface RoleBuilder<B> {
  withRoleArn(arn: string): B;
  withRoleSessionName(name: string): B;
  withDurationSeconds(seconds: number): B;
  withPolicy(policy: string): B;
  withStsEndpoint(host: string): B;
  withStsRegionId(region: string): B;
  withEnableVpc(vpc: boolean): B;
}

/** STS ends a session after an hour unless it is told otherwise; shorter ones than 15 minutes do not exist. */
const SESSION_SECONDS = 3600;

function assuming<B extends RoleBuilder<B>>(builder: B, role: Assumption): B {
  return builder
    .withRoleArn(role.roleArn)
    .withRoleSessionName(role.sessionName ?? 'xsync')
    .withDurationSeconds(Math.max(role.durationSeconds ?? SESSION_SECONDS, 900))
    .withPolicy(role.policy ?? '')
    .withStsEndpoint(role.stsEndpoint?.replace(/^https:\/\//, '') ?? '')
    .withStsRegionId(role.stsRegion ?? '')
    .withEnableVpc(role.vpc ?? false);
}

const word = z.string().min(1).optional();

/** In the names of Alibaba's CLI, of ossutil and of AWS. */
const printedSchema = z.object({
  access_key_id: word,
  AccessKeyId: word,
  access_key_secret: word,
  AccessKeySecret: word,
  SecretAccessKey: word,
  sts_token: word,
  SecurityToken: word,
  SessionToken: word,
  expiration: word,
  Expiration: word,
});

const PROCESS_MS = 60_000;

/** Runs the command, without a shell, and reads the JSON that it prints. */
async function runProcess(command: string): Promise<Fetched> {
  const fault = (why: string) =>
    new XsyncError('bad-credentials', `the credential process ${why}`, { remedy: 'Check credential_process.' });
  let printed: string;
  try {
    const [file = '', ...args] = utilities.splitProcessCommand(command);
    printed = (await promisify(execFile)(file, args, { timeout: PROCESS_MS })).stdout;
  } catch (error) {
    throw fault(failureOf(error));
  }
  const parsed = printedSchema.safeParse(jsonOf(printed));
  const found = parsed.success ? parsed.data : {};
  const accessKeyId = found.access_key_id ?? found.AccessKeyId;
  const accessKeySecret = found.access_key_secret ?? found.AccessKeySecret ?? found.SecretAccessKey;
  if (accessKeyId === undefined || accessKeySecret === undefined) throw fault('printed no credentials');
  const securityToken = found.sts_token ?? found.SecurityToken ?? found.SessionToken;
  return { accessKeyId, accessKeySecret, securityToken, ...expiry(found.expiration ?? found.Expiration) };
}

function expiry(text: string | undefined): { expiresMs?: number } {
  const expiresMs = Date.parse(text ?? '');
  return Number.isNaN(expiresMs) ? {} : { expiresMs };
}

/** Node's message repeats the command, which may contain a secret. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const [line = ''] = 'stderr' in error ? String(error.stderr).trim().split('\n', 1) : [];
  if ('killed' in error && error.killed === true) return `took longer than ${PROCESS_MS / 1000} s`;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'does not exist';
  return `failed${typeof code === 'number' ? ` with exit code ${code}` : ''}${line === '' ? '' : `: ${line.slice(0, 200)}`}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text. The schema refuses `undefined`.
    return undefined;
  }
}
