/**
 * Proves to a webhook that xsync sent an event, and when. `docs/metrics.md` shows how to verify it.
 * Tests: test/observe/webhook.test.ts
 */
import { createHmac } from 'node:crypto';
import { XsyncError } from '../model/error.js';

/** Characters; `openssl rand -hex 32` gives 64. */
const SHORTEST = 16;
const VARIABLE = 'XSYNC_NOTIFY_SECRET';

/** `t` is the time of sending in seconds since 1970, `v1` the HMAC-SHA256 of `<t>.<body>` in hex. */
export function signatureOf(secret: string, body: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

/**
 * Undefined when it is not set: events are not signed.
 * @throws config when it is too short
 */
export function notifySecretFrom(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const secret = env[VARIABLE]?.trim();
  if (!secret || secret.length >= SHORTEST) return secret || undefined;
  throw new XsyncError('config', `the secret in ${VARIABLE} is shorter than ${SHORTEST} characters`, {
    subject: VARIABLE,
    remedy: 'create one with `openssl rand -hex 32`',
  });
}
