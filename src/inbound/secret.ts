/**
 * The secrets of those who call. Never on the command line, which every user of the host can read.
 * Tests: test/feed/endpoint.test.ts
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { XsyncError } from '../model/error.js';

/** Minimum length in characters; `openssl rand -hex 32` prints 64. */
const SHORTEST = 16;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The secret in the environment variable, or in the file that is named by the variable with `_FILE` at its end.
 * @returns undefined if there is none
 * @throws config: it is too short, or its file is unreadable or open to other users
 */
export function findSecret(env: Env, variable: string): string | undefined {
  const [direct, file] = [env[variable], env[`${variable}_FILE`]];
  const secret = direct?.trim() || (file ? readSecret(file, variable) : undefined);
  if (secret !== undefined && secret.length < SHORTEST) {
    const where = direct ? variable : `the file ${file}`;
    const remedy = howToSet(variable);
    throw new XsyncError('config', `the secret in ${where} is shorter than ${SHORTEST} characters`, { remedy });
  }
  return secret;
}

export function howToSet(variable: string): string {
  return (
    `create one with \`openssl rand -hex 32\` and set it in the environment variable ${variable}, ` +
    `or put it into a file that only you can read and set ${variable}_FILE to its path`
  );
}

function readSecret(file: string, variable: string): string {
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
    const message = `cannot read ${file}, the file in ${variable}_FILE`;
    throw new XsyncError('config', message, { subject: file, remedy: howToSet(variable), cause: error });
  }
}

/** Compares secrets in constant time. */
export class SecretCheck {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  is(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.#digest);
  }

  /** Checks `Authorization: Bearer`, `X-Xsync-Secret`, and `?token=` for senders that cannot set a header. */
  passes(headers: IncomingHttpHeaders, url: URL): boolean {
    const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
    const given = [bearer, headers['x-xsync-secret'], ...url.searchParams.getAll('token')];
    // Compares all of them, so that the time does not reveal which one matched.
    const equal = given.map((one) => this.is(typeof one === 'string' ? one : ''));
    return equal.includes(true);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
