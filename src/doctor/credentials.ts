/** Describes the source of a remote's credentials; never the credentials. Pure. Tests: test/doctor/host.test.ts */
import type { DoctorRules, RemoteConfig } from '../store/backend.js';

export function describeCredentials(remote: RemoteConfig, rules: DoctorRules, env: NodeJS.ProcessEnv): string {
  if (remote.access_key_id === undefined) return rules.credentialsFrom(remote, env);
  return remote.session_token === undefined ? 'static keys' : 'static temporary keys';
}
