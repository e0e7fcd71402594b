/** Tests: test/config/rclone.test.ts */

import type { Encryption } from '../../model/encryption.js';
import { isAccelerated } from '../accelerate.js';
import type { Backend, OpenTarget, RcloneSection, Resources } from '../backend.js';
import { rcloneSettings } from '../rclone.js';
import { type OssConfig, ossConfigSchema } from './config.js';
import { endpointOrigin, regionOfEndpoint } from './endpoint.js';
import { ossutilRules } from './ossutil.js';
import { nameOf, recipeOf } from './recipe.js';

/**
 * The Go SDK has headers for it (`SSECKey`), which the documentation does not have:
 * https://www.alibabacloud.com/help/en/oss/user-guide/server-side-encryption-8.
 */
const NO_CUSTOMER_KEYS =
  'OSS offers no encryption with keys of its customers: use server_side_encryption: KMS and sse_kms_key_id';

export const ossBackend: Backend<OssConfig> = {
  type: 'oss',
  schema: ossConfigSchema,
  scheme: 'oss',
  implied: { env_auth: true },
  lacks: Object.fromEntries(
    ['sse_c_key_file', 'sse_customer_key', 'sse_customer_key_base64'].map((name) => [name, NO_CUSTOMER_KEYS]),
  ),
  async open(remote, place, resources) {
    const accelerate = resources.accelerate ?? remote.accelerate;
    const config = { ...remote, accelerate, ...encryptionOf(remote, resources.encryption) };
    const { store, acceleration } = await openStore(config, place, resources);
    const accelerated = isAccelerated(acceleration, config.accelerate);
    const again = { remote: { ...remote, accelerate: accelerated ? 'on' : 'off' }, bucket: place.bucket };
    return { store, acceleration, accelerated, prices: config.prices, again };
  },
  async buckets(remote, name, resources) {
    const { ossBuckets } = await import('./buckets.js');
    return ossBuckets(remote, name, resources);
  },
  rclone: {
    // rclone uses OSS's S3 API.
    type: 's3',
    owns: (section) => section.get('provider') === 'Alibaba' || /\.aliyuncs\.com\b/.test(section.get('endpoint') ?? ''),
    settings: fromRclone,
    environmentNote: 'env_auth reads OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (or ALIBABA_CLOUD_…), not AWS_….',
  },
  foreign: ossutilRules,
  doctor: {
    rights: {
      list: 'oss:ListObjects',
      read: 'oss:GetObject',
      write: 'oss:PutObject',
      delete: 'oss:DeleteObject',
      'list parts': 'oss:ListParts',
      'abort uploads': 'oss:AbortMultipartUpload',
    },
    credentialsFrom,
    // Only Alibaba Cloud offers it, on its own endpoints.
    acceleration: ({ endpoint, accelerate }) =>
      endpoint === undefined || endpoint.endsWith('.aliyuncs.com') ? accelerate : undefined,
  },
};

const OSS_METHODS = { aes256: 'AES256', kms: 'KMS', sm4: 'SM4' } as const;

/** The settings that --sse replaces. A key of the remote stays, unless another one is given. */
function encryptionOf(remote: OssConfig, asked: Encryption | undefined): Partial<OssConfig> | undefined {
  if (!asked) return undefined;
  const none = { server_side_encryption: undefined, sse_kms_key_id: undefined, sse_kms_data_encryption: undefined };
  if (asked.method === 'none') return none;
  if (asked.method !== 'kms') return { ...none, server_side_encryption: OSS_METHODS[asked.method] };
  return { server_side_encryption: 'KMS', sse_kms_key_id: asked.keyId ?? remote.sse_kms_key_id };
}

async function openStore(config: OssConfig, { bucket, label }: OpenTarget, resources: Resources) {
  const { env } = resources;
  const connection = await resources.connect(config);
  if (resources.transport === 'sdk') {
    const { createOssSdkStore } = await import('./sdk.js');
    const deps = { ...resources, http: connection.http, agents: await connection.agents() };
    return { store: createOssSdkStore(config, bucket, deps), acceleration: undefined };
  }
  const { openOssStore } = await import('./open.js');
  return openOssStore(config, bucket, { transport: await connection.http(), env, place: label });
}

/** rclone accelerates by endpoint, xsync by a switch, because xsync accelerates object data only. */
function fromRclone(section: RcloneSection): Record<string, string> | string {
  const settings = rcloneSettings(section);
  if (typeof settings === 'string') return settings;
  if (section.get('sse_customer_key') || section.get('sse_customer_key_base64')) return NO_CUSTOMER_KEYS;
  // A profile of AWS, which rclone may name, is none of Alibaba Cloud.
  const { endpoint = '', region, profile: _, ...rest } = settings;
  const accelerated = /oss-accelerate(-overseas)?\.aliyuncs\.com/.exec(endpoint);
  const origin = endpointOrigin(endpoint.replace(/^((?:https?:\/\/)?)s3\./, '$1'));
  const named = region?.replace(/^oss-/, '') ?? (origin && regionOfEndpoint(origin));
  if (named === undefined) {
    return `its endpoint "${endpoint}" does not name the region, which OSS requires; add this remote by hand with its region`;
  }
  const place: Record<string, string> = accelerated
    ? { accelerate: 'on', accelerate_endpoint: accelerated[1] ? 'overseas' : 'global' }
    : { ...(endpoint && { endpoint: endpoint.replace(/^((?:https?:\/\/)?)s3\./, '$1') }) };
  return { region: named, ...place, ...rest };
}

function credentialsFrom(remote: OssConfig, env: NodeJS.ProcessEnv): string {
  const own = recipeOf({ ...remote, env_auth: false }, env);
  if (own) return nameOf(own);
  const keys = ['OSS_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_ID'].find((name) => env[name]);
  if (keys !== undefined) return `environment (${keys})`;
  return nameOf(recipeOf({ ...remote, env_auth: true }, env) ?? { kind: 'default' });
}
