/** Where a remote's credentials come from, in words; never the credentials. Pure. */

/** What a remote's config says, of either kind of service. */
export interface CredentialSettings {
  type: 's3' | 'oss';
  access_key_id?: string;
  session_token?: string;
  profile?: string;
}

export function describeCredentials(remote: CredentialSettings, env: NodeJS.ProcessEnv): string {
  if (remote.access_key_id !== undefined) {
    return remote.session_token === undefined ? 'static keys' : 'static temporary keys';
  }
  if (remote.type === 'oss') {
    const variable = env.OSS_ACCESS_KEY_ID ? 'OSS_ACCESS_KEY_ID' : 'ALIBABA_CLOUD_ACCESS_KEY_ID';
    return `environment (${variable})`;
  }
  // The order of the AWS SDK's chain.
  if (remote.profile !== undefined) return `AWS profile "${remote.profile}"`;
  if (env.AWS_PROFILE) return `AWS profile "${env.AWS_PROFILE}" (AWS_PROFILE)`;
  if (env.AWS_ACCESS_KEY_ID) return 'environment (AWS_ACCESS_KEY_ID)';
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE)';
  return 'AWS chain (shared config, SSO, role of the machine)';
}
