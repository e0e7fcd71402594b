/** Tests: test/store/s3-sdk/contract.test.ts */
import { createRequire } from 'node:module';
import { quietSdk } from '../../aws/quiet.js';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** Loads the AWS SDK on first use. It is slow to load, and runs with static keys do not need it. */
export function loadSdk(): Promise<Sdk> {
  quietSdk();
  return import('@aws-sdk/client-s3');
}

/** The same, where nothing can wait: for the addresses of access points. */
export function loadSdkNow(): Sdk {
  quietSdk();
  return createRequire(import.meta.url)('@aws-sdk/client-s3');
}
