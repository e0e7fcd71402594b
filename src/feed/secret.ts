/**
 * The secret of event senders. Never on the command line, which every user of the host can read.
 * Tests: test/feed/endpoint.test.ts
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { XsyncError } from '../model/error.js';

/** Minimum length in characters; `openssl rand -hex 32` prints 64. */
const SHORTEST = 16;

const HOW =
  'create one with `openssl rand -hex 32` and set it in the environment variable XSYNC_EVENTS_SECRET, ' +
  'or put it into a file that only you can read and set XSYNC_EVENTS_SECRET_FILE to its path';

/** @throws usage: no secret; config: it is too short, or its file is unreadable or open to other users */
export function secretFrom(env: Readonly<Record<string, string | undefined>>): string {
  const { XSYNC_EVENTS_SECRET: direct, XSYNC_EVENTS_SECRET_FILE: file } = env;
  const secret = direct?.trim() || (file ? readSecret(file) : undefined);
  if (!secret) {
    throw new XsyncError('usage', 'events over HTTP require a secret', { remedy: HOW });
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
        `${file} contains a secret but is open to other users (mode ${mode.toString(8).padStart(4, '0')})`,
        { subject: file, remedy: `run: chmod 600 ${file}` },
      );
    }
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof XsyncError) throw error;
    const message = `cannot read ${file}, the file in XSYNC_EVENTS_SECRET_FILE`;
    throw new XsyncError('config', message, { subject: file, remedy: HOW, cause: error });
  }
}

/** Compares secrets in constant time. */
export class SecretCheck {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /** Checks `Authorization: Bearer`, `X-Xsync-Secret`, and `?token=` for senders that cannot set a header. */
  passes(headers: IncomingHttpHeaders, url: URL): boolean {
    const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
    const given = [bearer, headers['x-xsync-secret'], ...url.searchParams.getAll('token')];
    // Compares all of them, so that the time does not reveal which one matched.
    const equal = given.map((one) => timingSafeEqual(digestOf(typeof one === 'string' ? one : ''), this.#digest));
    return equal.includes(true);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
