import { createRequire } from 'node:module';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** Loads the AWS SDK on first use. It is slow to load, and runs with static keys do not need it. */
export function loadSdk(): Promise<Sdk> {
  quiet();
  return import('@aws-sdk/client-s3');
}

/** The same, where nothing can wait: for the addresses of access points. */
export function loadSdkNow(): Sdk {
  quiet();
  return createRequire(import.meta.url)('@aws-sdk/client-s3');
}

/** The SDK's warning about old Node versions is for developers, not for users of xsync. */
function quiet(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}
