/** Completes a remote from the AWS environment, for remotes that take their credentials from there. */
import { partitionOf } from '../../aws/partition.js';
import { type AwsSettings, awsSettings, type Environment } from '../../aws/settings.js';
import { XsyncError } from '../../model/error.js';
import { endpointIn, type S3Config } from './config.js';
import { isAws } from './presets.js';

export interface CompletedConfig {
  config: S3Config;
  /** File with certificates to trust in addition (AWS_CA_BUNDLE). */
  caBundle?: string;
  /** Where STS is asked. */
  stsRegion: string;
}

/**
 * The remote's own settings go first, then variables, then the profile. A remote with keys of its own, a provider or
 * acceleration is not sent elsewhere by a variable.
 * @throws config: for a profile that does not exist, and for settings that are not what they should be
 */
export async function completeConfig(config: S3Config, env: Environment): Promise<CompletedConfig> {
  if (config.access_key_id !== undefined) {
    return { config, caBundle: env.AWS_CA_BUNDLE?.trim() || undefined, stsRegion: 'us-east-1' };
  }
  const aws = await awsSettings(config.profile, 'S3', env);
  const completed: S3Config = {
    ...config,
    region: config.region ?? aws.region,
    endpoint: config.endpoint ?? endpointFrom(config, aws),
    force_path_style: config.force_path_style ?? (aws.addressing && aws.addressing === 'path'),
  };
  // Only AWS's own endpoints have such variants.
  if (isAws(completed) && completed.endpoint === undefined) {
    completed.use_dualstack_endpoint ??= aws.dualstack;
    completed.use_fips_endpoint ??= aws.fips;
  }
  return { config: completed, caBundle: aws.caBundle, stsRegion: stsRegionOf(config, aws) };
}

function endpointFrom({ provider, accelerate }: S3Config, { endpoint }: AwsSettings): string | undefined {
  if (endpoint === undefined || provider !== undefined || accelerate !== 'off') return undefined;
  if (endpointIn(endpoint.url) !== undefined) return endpoint.url;
  throw new XsyncError('config', `${endpoint.from} is not an address such as https://s3.example.com`, {
    subject: endpoint.from,
  });
}

/** The region of the remote decides about the partition, even if the environment names another one. */
function stsRegionOf(config: S3Config, { region }: AwsSettings): string {
  if (isAws(config) && config.region !== undefined) return signable(config.region);
  return signable(region ?? (config.provider === 'aws-cn' ? 'cn-north-1' : 'us-east-1'));
}

/** STS has no host for the names that compatible stores use as regions. */
function signable(region: string): string {
  return /-\d+$/.test(region) ? region : partitionOf(region).name === 'aws' ? 'us-east-1' : region;
}
