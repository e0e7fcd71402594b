/** Tests: test/cli/rcat.test.ts */
import { addAbortSignal, Readable } from 'node:stream';
import { ATTRIBUTES } from '../../engine/job/attributes.js';
import type { Values } from '../../engine/job/job.js';
import { DRY_RUN, TRANSFER } from '../../engine/job/options.js';
import { parseSize } from '../../engine/job/values.js';
import { errnoOf, reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { classNamed, isCarriedClass } from '../../model/storage-class.js';
import type { OpenSide } from '../../open.js';
import { type Context, runCommand } from '../context.js';
import { own } from '../define.js';
import { EXIT } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import { options } from '../job.js';
import type { Program } from '../program.js';
import { formatBytes, plural } from '../render/format.js';
import { printable } from '../render/printable.js';
import { sendsNothing } from '../stdin.js';
import { type ReadingFlags, readingOptions, withSide } from './reading.js';

const { partSize, sse } = TRANSFER;
const { storageClass } = ATTRIBUTES;
const RCAT = { ...DRY_RUN, partSize, storageClass, sse };

type RcatFlags = ReadingFlags & Values<typeof RCAT> & { size?: number };

const PART_SIZE = 16 * 1024 ** 2;

export function addRcat({ root, io, finish }: Program): void {
  const command = root
    .command('rcat <path>')
    .summary('write standard input to an object')
    .description(
      'Write standard input to the object at path, whatever its size. An existing object is replaced only after all input has ' +
        'arrived.',
    )
    .optionsGroup('Transfer:')
    .addHelpText('after', EXAMPLES);
  options(command, RCAT);
  own(command, '--size <size>', 'expected size, from which the part size is chosen', parseSize);
  readingOptions(command).action(async (path: string, flags: RcatFlags) => {
    finish(
      await runCommand(io, flags, { bars: false }, async (context) => {
        if (sendsNothing(io.stdin)) throw nothing();
        if (isCarriedClass(flags.storageClass)) throw noClass(flags.storageClass);
        const interruption = onInterrupt(context);
        try {
          const body = (side: OpenSide) => write(context, side, flags, interruption.signal);
          return await withSide(context, path, flags, body, { file: true, written: true });
        } finally {
          interruption.dispose();
        }
      }),
    );
  });
}

async function write(
  { io, log }: Context,
  { store, path, text }: OpenSide,
  flags: RcatFlags,
  signal: AbortSignal,
): Promise<number> {
  if (path === '' || path.endsWith('/')) throw noObject(text);
  if (flags.dryRun) {
    log.say('notice', `would write standard input to ${printable(text)}`);
    return EXIT.ok;
  }
  const { pour } = await import('../../engine/transfer/pour.js');
  const { maxParts, attributes } = store.capabilities;
  const { storageClass: asked } = flags;
  const storageClass = asked && attributes.classes && classNamed(asked, attributes.classes);
  const how = { partSize: partSizeOf(flags, maxParts), storageClass, signal };
  const { size, parts } = await pour(store, path, bytesOf(io.stdin, signal), how);
  const cut = parts > 1 ? ` in ${plural(parts, 'part')}` : '';
  log.say('info', `wrote ${formatBytes(size)}${cut} to ${printable(text)}`);
  return EXIT.ok;
}

function partSizeOf({ partSize: given, size = 0 }: RcatFlags, maxParts: number): number {
  return given ?? Math.max(PART_SIZE, Math.ceil(size / maxParts));
}

/** @throws aborted: at once, although the program before the pipe may be silent; not-readable */
async function* bytesOf(stdin: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const input = stdin instanceof Readable ? addAbortSignal(signal, stdin) : stdin;
  try {
    for await (const chunk of input) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } catch (cause) {
    if (signal.aborted) throw new XsyncError('aborted', 'the input was not read to its end', { cause });
    if (errnoOf(cause) === undefined) throw cause;
    throw new XsyncError('not-readable', `standard input cannot be read: ${reasonOf(cause)}`, {
      remedy: 'Give a file, a disk or a pipe.',
      cause,
    });
  }
}

function nothing(): XsyncError {
  return new XsyncError('usage', 'there is nothing to read from standard input, which is a terminal or /dev/null', {
    remedy: 'Use a pipe or a redirection: command | xsync rcat PATH',
  });
}

function noClass(word: string | undefined): XsyncError {
  return new XsyncError('usage', `--storage-class ${word}: standard input has no storage class`, {
    subject: '--storage-class',
    remedy: 'Name a class of the destination.',
  });
}

function noObject(text: string): XsyncError {
  return new XsyncError('usage', `"${text}" does not name an object`, {
    subject: text,
    remedy: 'Give the key of an object.',
  });
}

const EXAMPLES = `
Examples:
  pg_dump db | gzip | xsync rcat shanghai:backup/db.sql.gz
  tar c ./photos | xsync rcat --size 500G s3://my-bucket/photos.tar

The end of the input is the end of the object, even if the program before the
pipe failed: use "set -o pipefail", and check its exit code. Without --size, an
object can have about 900 GiB (10,000 parts of 16 MiB and more).`;
