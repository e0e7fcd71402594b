export type Sdk = typeof import('@aws-sdk/client-s3');

/** The AWS SDK, loaded when it is first needed: it is heavy, and a lean run with keys of its own never needs it. */
export function loadSdk(): Promise<Sdk> {
  // Its warning speaks to the SDK's users of Node's age, which whoever runs xsync is not.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return import('@aws-sdk/client-s3');
}
