/**
 * Before the SDK is loaded: its warning about old Node versions is for developers, not for users of xsync.
 * Tests: test/aws/credentials.test.ts
 */
export function quietSdk(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}
