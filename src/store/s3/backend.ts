import { isAccelerated } from '../accelerate.js';
import type { Backend, OpenTarget, RcloneSection, Resources } from '../backend.js';
import { rcloneSettings } from '../rclone.js';
import { type S3Config, s3ConfigSchema } from './config.js';
import { PROVIDERS, providerOf, RCLONE_PROVIDERS } from './presets.js';

export const s3Backend: Backend<S3Config> = {
  type: 's3',
  schema: s3ConfigSchema,
  scheme: 's3',
  implied: { env_auth: true },
  async open(remote, place, resources) {
    const config = { ...remote, accelerate: resources.accelerate ?? remote.accelerate };
    const { store, acceleration } = await openStore(config, place, resources);
    const accelerated = isAccelerated(acceleration, config.accelerate);
    return { store, acceleration, accelerated, prices: config.prices };
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
    // Only AWS outside China offers it, on its own endpoints.
    acceleration: (remote) =>
      remote.endpoint === undefined && providerOf(remote) === 'aws' ? remote.accelerate : undefined,
  },
};

async function openStore(config: S3Config, { bucket, label }: OpenTarget, resources: Resources) {
  if (resources.transport === 'sdk') {
    const { openS3SdkStore } = await import('./sdk.js');
    return openS3SdkStore(config, bucket, resources);
  }
  const { openS3Store } = await import('./open.js');
  return openS3Store(config, bucket, { transport: await resources.http(), place: label, tell: resources.tell });
}

function fromRclone(section: RcloneSection): Record<string, string> | string {
  const settings = rcloneSettings(section);
  if (typeof settings === 'string') return settings;
  const named = section.get('provider')?.toLowerCase() ?? '';
  // rclone has providers that are plain S3 here.
  const provider = RCLONE_PROVIDERS[named] ?? PROVIDERS.find((name) => name === named) ?? 'other';
  const accelerated = provider === 'aws' && section.get('use_accelerate_endpoint') === 'true';
  return {
    provider: provider === 'aws' && settings.region?.startsWith('cn-') ? 'aws-cn' : provider,
    ...(accelerated && { accelerate: 'on' }),
    ...settings,
  };
}

/** In the order of the AWS SDK's chain. */
function credentialsFrom({ profile }: S3Config, env: NodeJS.ProcessEnv): string {
  if (profile !== undefined) return `AWS profile "${profile}"`;
  if (env.AWS_PROFILE) return `AWS profile "${env.AWS_PROFILE}" (AWS_PROFILE)`;
  if (env.AWS_ACCESS_KEY_ID) return 'environment (AWS_ACCESS_KEY_ID)';
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE)';
  return 'AWS chain (shared config, SSO, role of the machine)';
}
