/** Tests: test/cli/link.test.ts */

import { parseDuration } from '../../engine/job/values.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { OpenSide } from '../../open.js';
import { value } from '../define.js';
import { EXIT } from '../exit.js';
import type { Program } from '../program.js';
import { onSide, type ReadingFlags, readingOptions } from './reading.js';

type LinkFlags = ReadingFlags & { expire?: number };

const DAY_MS = 24 * 3_600_000;
/** Signature Version 4 of both services allows no more. */
const LONGEST_MS = 7 * DAY_MS;

export function addLink({ root, io, finish }: Program): void {
  const command = root
    .command('link <path>')
    .summary('print a presigned URL of an object')
    .description(
      'Print a presigned URL of the object at path. Anyone with the URL can read the object without credentials until it ' +
        'expires.',
    )
    .optionsGroup('Link:')
    .addHelpText('after', EXAMPLES);
  value(command, '--expire <duration>', 'time until the link expires, at most 7d', parseExpiry, [DAY_MS, '1d']);
  readingOptions(command).action(async (path: string, { expire = LONGEST_MS, ...flags }: LinkFlags) => {
    finish(
      await onSide(io, path, flags, async (side, { out }) => {
        await out.write(`${await linkTo(side, Math.floor(expire / 1000))}\n`);
        return EXIT.ok;
      }),
    );
  });
}

/** `off`: as long as possible. @throws usage */
function parseExpiry(option: string, text: string): number {
  const ms = parseDuration(option, text) ?? LONGEST_MS;
  if (ms >= 1000 && ms <= LONGEST_MS) return ms;
  throw new XsyncError('usage', `${option}: "${text}" is not from 1s to 7d`, { subject: option });
}

/** @throws unsupported, usage, object-not-found */
async function linkTo({ store, path, text }: OpenSide, expiresS: number): Promise<string> {
  if (store.signedUrl === undefined) {
    throw new XsyncError('unsupported', `there are no links to ${text}`, {
      subject: text,
      remedy: 'Name an object in S3 or OSS, without --transport sdk.',
    });
  }
  if (path === '') {
    throw new XsyncError('usage', `"${text}" does not name an object`, {
      subject: text,
      remedy: 'Give the key of an object.',
    });
  }
  const dots = path.split('/').find((segment) => segment === '.' || segment === '..');
  if (dots !== undefined) {
    const message = `${text} has a segment "${dots}", which browsers and most programs remove from URLs`;
    throw new XsyncError('key-not-representable', message, { subject: text });
  }
  try {
    await store.head(path);
  } catch (error) {
    if (!isXsyncError(error, 'object-not-found')) throw error;
    throw new XsyncError('object-not-found', `there is no object ${text}`, { subject: text, cause: error });
  }
  return (await store.signedUrl(path, { expiresS })).url;
}

const EXAMPLES = `
Examples:
  xsync link shanghai:bucket/report.pdf
  xsync link --expire 1h s3://my-bucket/photos/1.jpg

Treat the URL as a secret. A URL signed with temporary credentials expires with
them. It points to the endpoint of the remote: an internal endpoint cannot be
reached from outside.`;
