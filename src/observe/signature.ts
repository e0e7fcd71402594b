/** Proves to a webhook that an event is ours and when it was sent. `docs/metrics.md` shows how to check it. */
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
 * Undefined when none is set: the events go unsigned.
 * @throws config for one that is too short to be one
 */
export function notifySecretFrom(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const secret = env[VARIABLE];
  if (!secret || secret.length >= SHORTEST) return secret || undefined;
  throw new XsyncError('config', `the secret in ${VARIABLE} is shorter than ${SHORTEST} characters`, {
    subject: VARIABLE,
    remedy: 'make one with `openssl rand -hex 32`',
  });
}
