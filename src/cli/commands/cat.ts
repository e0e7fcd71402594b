/** Tests: test/cli/main.test.ts */

import { parseInteger, parseSize } from '../../engine/job/values.js';
import { isUnexplained, isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { OpenSide } from '../../open.js';
import { type Context, runCommand } from '../context.js';
import { value } from '../define.js';
import type { Program } from '../program.js';
import { pieces, type ReadingFlags, readingOptions, withSide } from './reading.js';

type CatFlags = ReadingFlags & RangeFlags;

export interface RangeFlags {
  offset?: number;
  count?: number;
  head?: number;
  tail?: number;
}

export function addCat({ root, io, finish }: Program): void {
  const command = root
    .command('cat <path...>')
    .summary('write objects to standard output')
    .description('Write the bytes of each object to standard output.')
    .optionsGroup('Range:')
    .addHelpText('after', EXAMPLES);
  const size = (option: string, text: string): number | undefined => parseSize(option, bytesByDefault(text));
  value(command, '--offset <bytes>', 'start at this offset; negative: from the end', parseOffset);
  value(command, '--count <bytes>', 'number of bytes to write', size);
  value(command, '--head <bytes>', 'write only the first bytes', size);
  value(command, '--tail <bytes>', 'write only the last bytes', size);
  readingOptions(command).action(async (paths: string[], flags: CatFlags) => {
    finish(
      await runCommand(io, flags, { bars: false }, async (context) => {
        // Contradictory flags are reported before any request.
        rangeOf(flags, 0);
        for (const path of paths) await withSide(context, path, flags, (side) => writeObject(context, side, flags));
        return 0;
      }),
    );
  });
}

/** Here a bare number is in bytes, not KiB. */
function bytesByDefault(text: string): string {
  return /^[\d.]+$/.test(text) ? `${text}B` : text;
}

function parseOffset(option: string, text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return parseInteger(option, text, { min: -Number.MAX_SAFE_INTEGER });
  const size = parseSize(option, text.replace(/^-/, ''));
  return size !== undefined && text.startsWith('-') ? -size : size;
}

async function writeObject({ out }: Context, side: OpenSide, flags: RangeFlags): Promise<void> {
  const { store, path, text } = side;
  if (path === '') {
    await refuseAbsent(store, text);
    throw new XsyncError('usage', `"${text}" does not name an object`, {
      subject: text,
      remedy: 'give the key of an object',
    });
  }
  const { size, etag } = await lookUp(side);
  const { start, end } = rangeOf(flags, size);
  for await (const piece of pieces(store, path, { etag, start, end })) await out.write(piece);
}

/** @throws object-not-found; the error of the bucket, if the response of the object does not explain it */
async function lookUp({ store, path, text }: OpenSide): Promise<ObjectInfo> {
  try {
    const info = await store.head(path);
    // Reading a link of OSS reads what it points to.
    const leadsOn = info.special === 'symlink' && store.capabilities.links === 'objects';
    return leadsOn ? await store.read(path, new Uint8Array(0)) : info;
  } catch (error) {
    if (isUnexplained(error)) await store.checkBucket();
    if (!isXsyncError(error, 'object-not-found')) throw error;
    throw new XsyncError('object-not-found', `there is no object ${text}`, {
      subject: text,
      remedy: 'list the keys with "xsync ls"',
      cause: error,
    });
  }
}

/** Without this, a local path that does not exist would look like a folder to create. */
async function refuseAbsent(store: OpenSide['store'], text: string): Promise<void> {
  try {
    await store.checkBucket();
  } catch (error) {
    if (!store.capabilities.local || !isXsyncError(error, 'bucket-not-found')) throw error;
    throw new XsyncError('object-not-found', `${text} does not exist`, { subject: text, cause: error });
  }
}

/** The requested bytes, from `start` up to but excluding `end`. @throws usage */
export function rangeOf({ offset, count, head, tail }: RangeFlags, size: number): { start: number; end: number } {
  const ways = [offset !== undefined || count !== undefined, head !== undefined, tail !== undefined];
  if (ways.filter(Boolean).length > 1) {
    throw new XsyncError('usage', '--head, --tail and --offset with --count exclude each other');
  }
  const from = tail !== undefined ? size - tail : (offset ?? 0) < 0 ? size + (offset ?? 0) : (offset ?? 0);
  const start = Math.min(size, Math.max(0, from));
  return { start, end: Math.min(size, start + (head ?? count ?? size)) };
}

const EXAMPLES = `
Examples:
  xsync cat shanghai:bucket/notes.txt
  xsync cat --tail 1k s3://logs/today.log`;
