/** Opens the targets of `--notify`. */
import { XsyncError } from '../model/error.js';
import { EventFile, StandardOutput } from './lines.js';
import { notifySecretFrom } from './signature.js';
import type { Target, Warn } from './target.js';
import { Webhook } from './webhook.js';

export interface TargetWorld {
  /** To standard output. */
  write(text: string): void;
  env: Readonly<Record<string, string | undefined>>;
  warn: Warn;
  /** For webhooks; default: that of `fetch`. */
  dispatcher?: RequestInit['dispatcher'];
}

const FORMS = '"-" (standard output), file:PATH or an address that begins with https:// or http://';

/**
 * `-`, `file:PATH` or the address of a webhook.
 * @throws usage, config (the secret), not-writable (the file)
 */
export function openTarget(text: string, { write, env, warn, dispatcher }: TargetWorld): Target {
  if (text === '-') return new StandardOutput(write);
  if (text.startsWith('file:') && text.length > 'file:'.length) return new EventFile(text.slice('file:'.length), warn);
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    // The text may be an address with a secret in it, so the message does not quote it.
    throw new XsyncError('usage', `--notify takes ${FORMS}`, { subject: '--notify' });
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new XsyncError(
      'usage',
      '--notify: a name or password in the address would be seen by everybody on this host',
      {
        subject: '--notify',
        remedy: 'leave it out, and check the signature that XSYNC_NOTIFY_SECRET makes',
      },
    );
  }
  return new Webhook({ url, secret: notifySecretFrom(env), warn, dispatcher });
}
