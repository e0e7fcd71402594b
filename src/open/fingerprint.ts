/** Detects a changed setup of a remote without storing the setup. Tests: test/cli/pairs.test.ts */
import { createHash } from 'node:crypto';
import { VERSION } from '../version.js';

/** Variables from which credentials and endpoints may come. */
const OURS = /^(AWS|OSS|ALIBABA|ALIYUN|XSYNC_CONFIG)_/;

/** Eight hexadecimal digits: too few to recover a secret, enough to detect a change. */
export function fingerprintOf(remote: object, env: NodeJS.ProcessEnv): string {
  const variables = Object.entries(env).filter(([name]) => OURS.test(name));
  const text = JSON.stringify([VERSION, remote, variables.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
