/** Whether a remote is set up as it was, without keeping how. */
import { createHash } from 'node:crypto';
import { VERSION } from '../version.js';

/** Variables from which credentials and endpoints may come. */
const OURS = /^(AWS|OSS|ALIBABA|ALIYUN|XSYNC_CONFIG)_/;

/** Eight hexadecimal digits: too few to find a secret by, enough to see that something was changed. */
export function fingerprintOf(remote: object, env: NodeJS.ProcessEnv): string {
  const variables = Object.entries(env).filter(([name]) => OURS.test(name));
  const text = JSON.stringify([VERSION, remote, variables.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
