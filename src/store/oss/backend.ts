import { isAccelerated } from '../accelerate.js';
import type { Backend, OpenTarget, RcloneSection, Resources } from '../backend.js';
import { rcloneSettings } from '../rclone.js';
import { type OssConfig, ossConfigSchema } from './config.js';

export const ossBackend: Backend<OssConfig> = {
  type: 'oss',
  schema: ossConfigSchema,
  scheme: 'oss',
  implied: { env_auth: true },
  async open(remote, place, resources) {
    const config = { ...remote, accelerate: resources.accelerate ?? remote.accelerate };
    const { store, acceleration } = await openStore(config, place, resources);
    const accelerated = isAccelerated(acceleration, config.accelerate);
    return { store, acceleration, accelerated, prices: config.prices };
  },
  rclone: {
    // rclone uses OSS's S3 API.
    type: 's3',
    owns: (section) => section.get('provider') === 'Alibaba' || /\.aliyuncs\.com\b/.test(section.get('endpoint') ?? ''),
    settings: fromRclone,
    environmentNote: 'env_auth reads OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (or ALIBABA_CLOUD_…), not AWS_….',
  },
  doctor: {
    rights: {
      list: 'oss:ListObjects',
      read: 'oss:GetObject',
      write: 'oss:PutObject',
      delete: 'oss:DeleteObject',
      'list parts': 'oss:ListParts',
      'abort uploads': 'oss:AbortMultipartUpload',
    },
    credentialsFrom: (_, env) =>
      `environment (${env.OSS_ACCESS_KEY_ID ? 'OSS_ACCESS_KEY_ID' : 'ALIBABA_CLOUD_ACCESS_KEY_ID'})`,
    // Only Alibaba Cloud offers it, on its own endpoints.
    acceleration: ({ endpoint, accelerate }) =>
      endpoint === undefined || endpoint.endsWith('.aliyuncs.com') ? accelerate : undefined,
  },
};

async function openStore(config: OssConfig, { bucket, label }: OpenTarget, resources: Resources) {
  const { env } = resources;
  const connection = await resources.connect(config);
  if (resources.transport === 'sdk') {
    const { createOssSdkStore } = await import('./sdk.js');
    const deps = { ...resources, agents: await connection.agents() };
    return { store: createOssSdkStore(config, bucket, deps), acceleration: undefined };
  }
  const { openOssStore } = await import('./open.js');
  return openOssStore(config, bucket, { transport: await connection.http(), env, place: label });
}

/** rclone accelerates by endpoint, xsync by a switch, because xsync accelerates object data only. */
function fromRclone(section: RcloneSection): Record<string, string> | string {
  const settings = rcloneSettings(section);
  if (typeof settings === 'string') return settings;
  const { endpoint = '', region, ...rest } = settings;
  const accelerated = /oss-accelerate(-overseas)?\.aliyuncs\.com/.exec(endpoint);
  const named = region?.replace(/^oss-/, '') ?? regionIn(endpoint);
  if (named === undefined) {
    return `its endpoint "${endpoint}" does not name the region, which OSS requires; add this remote by hand with its region`;
  }
  const place: Record<string, string> = accelerated
    ? { accelerate: 'on', accelerate_endpoint: accelerated[1] ? 'overseas' : 'global' }
    : { ...(endpoint && { endpoint: endpoint.replace(/^((?:https?:\/\/)?)s3\./, '$1') }) };
  return { region: named, ...place, ...rest };
}

/** The region in `oss-cn-hangzhou.aliyuncs.com`, its `-internal` form or the S3 API's host, if any. */
function regionIn(endpoint: string): string | undefined {
  const region = /(?:^|\/|\.)oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com/.exec(endpoint)?.[1];
  return region?.startsWith('accelerate') ? undefined : region;
}
