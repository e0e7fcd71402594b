/** The secret that a sender of events must know. Never from the command line, which everybody on the host can read. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { XsyncError } from '../model/error.js';

/** Characters; `openssl rand -hex 32` gives 64. */
const SHORTEST = 16;

const HOW =
  'make one with `openssl rand -hex 32` and set it in the environment variable XSYNC_EVENTS_SECRET, ' +
  'or put it into a file that only you can read and name that in XSYNC_EVENTS_SECRET_FILE';

/** @throws usage without a secret; config for one that does not do */
export function secretFrom(env: Readonly<Record<string, string | undefined>>): string {
  const { XSYNC_EVENTS_SECRET: direct, XSYNC_EVENTS_SECRET_FILE: file } = env;
  const secret = direct || (file ? readSecret(file) : undefined);
  if (!secret) {
    throw new XsyncError('usage', 'events over HTTP need a secret that their senders know', { remedy: HOW });
  }
  if (secret.length < SHORTEST) {
    const where = direct ? 'XSYNC_EVENTS_SECRET' : `the file ${file}`;
    throw new XsyncError('config', `the secret in ${where} is shorter than ${SHORTEST} characters`, { remedy: HOW });
  }
  return secret;
}

function readSecret(file: string): string {
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new XsyncError(
        'config',
        `${file} holds a secret but is open to other users (mode ${mode.toString(8).padStart(4, '0')})`,
        { subject: file, remedy: `run: chmod 600 ${file}` },
      );
    }
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof XsyncError) throw error;
    const message = `the file ${file} of XSYNC_EVENTS_SECRET_FILE cannot be read`;
    throw new XsyncError('config', message, { subject: file, remedy: HOW, cause: error });
  }
}

/** Compares in a time that tells nothing about the secret. */
export class SecretCheck {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /** By `Authorization: Bearer`, by `X-Xsync-Secret`, or by `?token=` where a sender can set no header. */
  passes(headers: IncomingHttpHeaders, url: URL): boolean {
    const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
    const given = [bearer, headers['x-xsync-secret'], ...url.searchParams.getAll('token')];
    // Every one is compared, so that the time does not tell which one it was.
    const equal = given.map((one) => timingSafeEqual(digestOf(typeof one === 'string' ? one : ''), this.#digest));
    return equal.includes(true);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
