/** The secrets that both ends share. Tests: test/bridge/signature.test.ts */
import { readFileSync } from 'node:fs';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';

/** Characters; `openssl rand -hex 32` gives 64. */
const SHORTEST = 32;
const VARIABLE = 'XSYNC_BRIDGE_SECRET';

/**
 * One secret a line: the first one signs, all are accepted. While a secret is replaced, two are there.
 * @param file absent: the variable XSYNC_BRIDGE_SECRET, in which spaces separate secrets
 * @param needed false: there may be none, because the other end proves who it is by its certificate
 * @throws config
 */
export function bridgeSecrets(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  { needed = true } = {},
): readonly string[] {
  const text = file === undefined ? (env[VARIABLE] ?? '') : textOf(file);
  if (!needed && file === undefined && text.trim() === '') return [];
  return secretsIn(text, file ?? VARIABLE);
}

/** @param where its name, for messages @throws config */
export function secretsIn(text: string, where: string): readonly string[] {
  const secrets = text.split(/\s+/).filter(Boolean);
  const remedy = 'Create one with `openssl rand -hex 32`, and give it to both ends.';
  if (secrets.length === 0) {
    const isUnset = where === VARIABLE;
    const message = isUnset ? 'there is no secret that both ends share' : `${where} has no secret in it`;
    throw new XsyncError('config', message, {
      subject: where,
      remedy: isUnset ? `Name a file with --secret-file, or set ${VARIABLE}.` : remedy,
    });
  }
  if (secrets.every(({ length }) => length >= SHORTEST)) return secrets;
  throw new XsyncError('config', `a secret in ${where} is shorter than ${SHORTEST} characters`, {
    subject: where,
    remedy,
  });
}

/** @param what the file has in it @throws config */
export function textOf(file: string, what = 'secret'): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new XsyncError('config', `the ${what} file ${file} cannot be read: ${reasonOf(cause)}`, {
      subject: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
}
