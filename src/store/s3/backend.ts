/** Tests: test/doctor/doctor.test.ts */
import { partitionOf } from '../../aws/partition.js';
import { type Encryption, lacksEncryption } from '../../model/encryption.js';
import { XsyncError } from '../../model/error.js';
import { isAccelerated } from '../accelerate.js';
import type { Backend, OpenTarget, RcloneSection, Resources } from '../backend.js';
import { rcloneSettings } from '../rclone.js';
import { bucketIn } from './access-point.js';
import { type S3Config, s3ConfigSchema } from './config.js';
import { namesKey, textOf } from './customer-key.js';
import { PROVIDERS, providerOf, RCLONE_PROVIDERS } from './presets.js';

export const s3Backend: Backend<S3Config> = {
  type: 's3',
  schema: s3ConfigSchema,
  scheme: 's3',
  implied: { env_auth: true },
  bucketIn,
  async open(remote, place, resources) {
    const accelerate = resources.accelerate ?? remote.accelerate;
    const config = { ...remote, accelerate, ...encryptionOf(remote, resources.encryption) };
    const { store, acceleration, customerKey } = await openStore(config, place, resources);
    const accelerated = isAccelerated(acceleration, config.accelerate);
    const key = customerKey && textOf(customerKey);
    // The file may be readable only once.
    const sealing =
      key === undefined ? {} : { sse_c_key_file: undefined, sse_customer_key: undefined, sse_customer_key_base64: key };
    const settled = { ...remote, ...sealing, accelerate: accelerated ? 'on' : 'off' };
    return {
      ...{ store, acceleration, accelerated, prices: config.prices },
      again: { remote: settled, bucket: place.bucket },
      ...(key !== undefined && { key }),
    };
  },
  async buckets(remote, name, resources) {
    const { s3Buckets } = await import('./buckets.js');
    return s3Buckets(remote, name, resources);
  },
  rclone: { type: 's3', settings: fromRclone },
  doctor: {
    rights: {
      list: 's3:ListBucket',
      read: 's3:GetObject',
      write: 's3:PutObject',
      delete: 's3:DeleteObject',
      'list parts': 's3:ListMultipartUploadParts',
      'abort uploads': 's3:AbortMultipartUpload',
    },
    credentialsFrom,
    acceleration: (remote) => (mayAccelerate(remote) ? remote.accelerate : undefined),
  },
};

const AWS_METHODS = { aes256: 'AES256', kms: 'aws:kms' } as const;

/** The settings that --sse replaces. A key of the remote stays, unless another one is given. @throws usage */
function encryptionOf(
  remote: S3Config,
  asked: Encryption | undefined,
): Pick<S3Config, 'server_side_encryption' | 'sse_kms_key_id'> | undefined {
  if (!asked) return undefined;
  if (namesKey(remote)) {
    throw new XsyncError('usage', `--sse ${asked.method}: the remote encrypts with a key of its own (SSE-C)`, {
      subject: '--sse',
      remedy: 'Omit --sse, or use a remote without sse_c_key_file.',
    });
  }
  if (asked.method === 'none') return { server_side_encryption: undefined, sse_kms_key_id: undefined };
  if (asked.method === 'sm4') throw lacksEncryption('an S3 store', asked, 'Use aes256 or kms.');
  const keyId = asked.method === 'kms' ? (asked.keyId ?? remote.sse_kms_key_id) : undefined;
  return { server_side_encryption: AWS_METHODS[asked.method], sse_kms_key_id: keyId };
}

async function openStore(given: S3Config, { bucket, label }: OpenTarget, resources: Resources) {
  const { openS3Store, prepare } = await import('./open.js');
  const { config, credentials, connection } = await prepare(given, resources);
  if (resources.transport === 'sdk') {
    const { openS3SdkStore } = await import('./sdk.js');
    const opened = openS3SdkStore(config, bucket, { ...resources, credentials, agents: await connection.agents() });
    return { ...opened, customerKey: config.customerKey };
  }
  const { tell } = resources;
  const opened = await openS3Store(config, bucket, {
    transport: await connection.http(),
    credentials,
    place: label,
    tell,
  });
  return { ...opened, customerKey: config.customerKey };
}

function fromRclone(section: RcloneSection): Record<string, string> | string {
  const settings = rcloneSettings(section);
  if (typeof settings === 'string') return settings;
  const algorithm = section.get('sse_customer_algorithm') ?? '';
  if (algorithm !== '' && algorithm !== 'AES256') return `it has the unknown sse_customer_algorithm "${algorithm}"`;
  const named = section.get('provider')?.toLowerCase() ?? '';
  // rclone has providers that are plain S3 here.
  const provider = RCLONE_PROVIDERS[named] ?? PROVIDERS.find((name) => name === named) ?? 'other';
  const accelerated = provider === 'aws' && section.get('use_accelerate_endpoint') === 'true';
  return {
    provider: provider === 'aws' && isInChina(settings.region) ? 'aws-cn' : provider,
    ...(accelerated && { accelerate: 'on' }),
    ...settings,
    ...attributesOf(section),
    ...(section.get('use_dual_stack') === 'true' && { use_dualstack_endpoint: 'true' }),
  };
}

/** Settings of new objects with the same names and meanings in xsync. */
function attributesOf(section: RcloneSection): Record<string, string> {
  const names = ['acl', 'server_side_encryption', 'sse_kms_key_id', 'sse_customer_key', 'sse_customer_key_base64'];
  const set = names.map((name) => [name, section.get(name) ?? ''] as const).filter(([, value]) => value !== '');
  return Object.fromEntries(set);
}

/** AWS offers it outside China, on its own endpoints. */
function mayAccelerate(remote: S3Config): boolean {
  return providerOf(remote) === 'aws' && remote.endpoint === undefined && !isInChina(remote.region);
}

function isInChina(region: string | undefined): boolean {
  return region !== undefined && partitionOf(region).name === 'aws-cn';
}

/** In the order in which they are used. */
function credentialsFrom({ profile }: S3Config, env: NodeJS.ProcessEnv): string {
  if (profile !== undefined) return `AWS profile "${profile}"`;
  if (env.AWS_PROFILE) return `AWS profile "${env.AWS_PROFILE}" (AWS_PROFILE)`;
  if (env.AWS_ACCESS_KEY_ID) return 'environment (AWS_ACCESS_KEY_ID)';
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE)';
  return 'AWS chain (shared config, SSO, role of the machine)';
}
