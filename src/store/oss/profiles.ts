/**
 * Profiles of Alibaba Cloud's tools: `~/.aliyun/config.json` of the CLI, and `~/.alibabacloud/credentials` of the SDKs.
 * Sources: `config/profile.go` of aliyun/aliyun-cli, and the provider of profiles in @alicloud/credentials.
 */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ABSENT, isErrno, reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { parseIni } from '../ini.js';
import { type Assumption, type Environment, type Keys, type Recipe, uriRecipe } from './recipe.js';

/**
 * The source that a profile names. The CLI's file comes first.
 * @throws bad-credentials: no file has it, or it is incomplete. The messages repeat no secrets.
 */
export async function readProfile(name: string, env: Environment): Promise<Recipe> {
  const files = [await readCli(env), await readSdk(env)];
  for (const file of files) {
    const profile = file?.profiles.get(name);
    if (file && profile) return file.recipe(profile, []);
  }
  const known = files.flatMap((file) => [...(file?.profiles.keys() ?? [])]);
  throw new XsyncError('bad-credentials', `there is no profile "${name}" in ${cliPath(env)} or ${sdkPath(env)}`, {
    subject: name,
    remedy: known.length > 0 ? `Set one of ${known.join(', ')}.` : `Create it: aliyun configure --profile ${name}`,
  });
}

/** The source that Alibaba Cloud's tools use by default; undefined when no file names one. */
export async function readDefaultProfile(env: Environment): Promise<Recipe | undefined> {
  const cli = env.ALIBABA_CLOUD_CLI_PROFILE_DISABLED?.toLowerCase() === 'true' ? undefined : await readCli(env);
  if (cli?.current !== undefined) return readProfile(cli.current, env);
  const sdk = await readSdk(env);
  const profile = sdk?.profiles.get('default');
  return sdk && profile && sdk.recipe(profile, []);
}

/** `~/.aliyun/config.json` or its like. */
interface ProfileFile {
  profiles: ReadonlyMap<string, Profile>;
  current?: string;
  /** @param path names of the profiles that led here */
  recipe(profile: Profile, path: readonly string[]): Recipe;
}

function cliPath(env: Environment): string {
  return join(homeOf(env), '.aliyun', 'config.json');
}

function sdkPath(env: Environment): string {
  return env.ALIBABA_CLOUD_CREDENTIALS_FILE || join(homeOf(env), '.alibabacloud', 'credentials');
}

/** A container may run as a user that has neither HOME nor an account, and so no profiles. */
function homeOf({ HOME }: Environment): string {
  if (HOME) return HOME;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

const cliSchema = z.object({
  current: z.string().optional(),
  profiles: z.array(z.looseObject({ name: z.string() })),
});

async function readCli(env: Environment): Promise<ProfileFile | undefined> {
  const path = cliPath(env);
  const text = await readIfAny(path);
  if (text === undefined) return undefined;
  const parsed = cliSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new XsyncError('bad-credentials', `${path} is not a configuration of the Alibaba Cloud CLI`, {
      subject: path,
      remedy: 'Run: aliyun configure',
    });
  }
  const { current, profiles } = parsed.data;
  const all = new Map(profiles.map((settings) => [settings.name, new Profile(settings.name, path, settings)]));
  return { profiles: all, current, recipe: (profile, seen) => cliRecipe(profile, all, seen) };
}

async function readSdk(env: Environment): Promise<ProfileFile | undefined> {
  const path = sdkPath(env);
  const text = await readIfAny(path);
  if (text === undefined) return undefined;
  const all = parseIni(text, path, 'profile').map(({ name, values }) => {
    return [name, new Profile(name, path, Object.fromEntries(values))] as const;
  });
  return { profiles: new Map(all), recipe: sdkRecipe };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's message quotes the file, which contains secrets. The schema refuses `undefined`.
    return undefined;
  }
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw new XsyncError('bad-credentials', `cannot read ${path}: ${reasonOf(error)}`, { subject: path, cause: error });
  }
}

function cliRecipe(profile: Profile, all: ReadonlyMap<string, Profile>, path: readonly string[]): Recipe {
  const mode = profile.text('mode') ?? 'AK';
  switch (mode) {
    case 'AK':
      return profile.keys();
    case 'StsToken':
      return { ...profile.keys(), securityToken: profile.need('sts_token') };
    case 'RamRoleArn':
      return {
        kind: 'role',
        from: { ...profile.keys(), securityToken: profile.text('sts_token') },
        ...roleOf(profile),
      };
    case 'EcsRamRole':
      return { kind: 'ecs', role: profile.text('ram_role_name') };
    case 'RamRoleArnWithRoleName':
      return { kind: 'role', from: { kind: 'ecs', role: profile.text('ram_role_name') }, ...roleOf(profile) };
    case 'ChainableRamRoleArn': {
      const name = profile.need('source_profile');
      const source = all.get(name);
      if (!source) throw profile.fault(`has the source_profile "${name}", which does not exist`);
      if (name === profile.name || path.includes(name)) throw profile.fault('is its own source_profile');
      return { kind: 'role', from: cliRecipe(source, all, [...path, profile.name]), ...roleOf(profile) };
    }
    case 'OIDC':
      return oidcOf(profile, 'oidc_token_file');
    case 'CredentialsURI':
      return uriRecipe(profile.need('credentials_uri'), `credentials_uri of profile "${profile.name}"`);
    case 'External':
      return { kind: 'process', command: profile.need('process_command') };
    default:
      throw profile.unsupported('mode', mode);
  }
}

function sdkRecipe(profile: Profile): Recipe {
  const type = profile.need('type');
  switch (type) {
    case 'access_key':
      return profile.keys();
    case 'sts':
      return { ...profile.keys(), securityToken: profile.need('security_token') };
    case 'ram_role_arn':
      return { kind: 'role', from: profile.keys(), ...roleOf(profile) };
    case 'ecs_ram_role':
      return { kind: 'ecs', role: profile.text('role_name') };
    case 'oidc_role_arn':
      return oidcOf(profile, 'oidc_token_file_path');
    case 'credentials_uri':
      return uriRecipe(profile.need('credentials_uri'), `credentials_uri of profile "${profile.name}"`);
    default:
      throw profile.unsupported('type', type);
  }
}

/** The CLI's names of the settings, or the SDKs'. */
function roleOf(profile: Profile): Assumption {
  return {
    roleArn: profile.text('role_arn') ?? profile.need('ram_role_arn'),
    sessionName: profile.text('ram_session_name') ?? profile.text('role_session_name'),
    externalId: profile.text('external_id'),
    policy: profile.text('policy'),
    durationSeconds: profile.number('expired_seconds') ?? profile.number('duration_seconds'),
    stsEndpoint: profile.text('sts_endpoint'),
    stsRegion: profile.text('sts_region'),
    vpc: profile.text('enable_vpc') === 'true' || undefined,
  };
}

function oidcOf(profile: Profile, tokenFile: string): Recipe {
  const providerArn = profile.need('oidc_provider_arn');
  return { kind: 'oidc', providerArn, tokenFile: profile.need(tokenFile), ...roleOf(profile) };
}

class Profile {
  constructor(
    readonly name: string,
    private readonly file: string,
    private readonly settings: Readonly<Record<string, unknown>>,
  ) {}

  /** An empty setting counts as absent: the CLI writes them all. */
  text(key: string): string | undefined {
    const value = this.settings[key];
    return value === undefined || value === null || value === '' ? undefined : String(value);
  }

  number(key: string): number | undefined {
    const value = Number(this.text(key));
    return value > 0 ? value : undefined;
  }

  /** @throws bad-credentials: when the profile lacks the setting */
  need(key: string): string {
    const value = this.text(key);
    if (value === undefined) throw this.fault(`has no ${key}`);
    return value;
  }

  keys(): Keys {
    return { kind: 'keys', accessKeyId: this.need('access_key_id'), accessKeySecret: this.need('access_key_secret') };
  }

  fault(why: string): XsyncError {
    return new XsyncError('bad-credentials', `profile "${this.name}" in ${this.file} ${why}`, {
      subject: this.name,
      remedy: 'Correct the profile, or set another one.',
    });
  }

  unsupported(key: string, value: string): XsyncError {
    return new XsyncError('bad-credentials', `profile "${this.name}" in ${this.file} has the ${key} ${value}`, {
      subject: this.name,
      remedy: 'xsync cannot use it: set another profile, or a credential_process that prints its credentials.',
    });
  }
}
