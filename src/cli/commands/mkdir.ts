/** `mkdir` and `rmdir`. Tests: test/cli/folders.test.ts */
import type { Values } from '../../engine/job/job.js';
import { DRY_RUN } from '../../engine/job/options.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { OpenSide } from '../../open.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { options } from '../job.js';
import type { Program } from '../program.js';
import { printable } from '../render/printable.js';
import { onSide, type ReadingFlags, readingOptions } from './reading.js';

type FolderFlags = ReadingFlags & Values<typeof DRY_RUN>;

export function addMkdir({ root, io, finish }: Program): void {
  const command = root
    .command('mkdir <path>')
    .summary('create a bucket or a folder')
    .description(
      'Create the bucket, or the folder in it. In an object store, a folder is an empty object whose key ends in a ' +
        'slash; objects do not need one. Existing buckets and folders are not changed.',
    )
    .optionsGroup('General:')
    .addHelpText('after', MKDIR_EXAMPLES);
  options(command, DRY_RUN);
  readingOptions(command).action(async (path: string, flags: FolderFlags) => {
    finish(await onSide(io, path, flags, (side, context) => make(side, context, flags)));
  });
}

export function addRmdir({ root, io, finish }: Program): void {
  const command = root
    .command('rmdir <path>')
    .summary('delete an empty bucket or folder')
    .description('Delete the bucket or the folder at path, if it is empty.')
    .optionsGroup('General:')
    .addHelpText('after', RMDIR_EXAMPLES);
  options(command, DRY_RUN);
  readingOptions(command).action(async (path: string, flags: FolderFlags) => {
    finish(await onSide(io, path, flags, (side, context) => remove(side, context, flags)));
  });
}

async function make(side: OpenSide, { log }: Context, { dryRun }: FolderFlags): Promise<number> {
  const { store, prefix, text } = side;
  if (store.capabilities.local && side.path !== '') throw isFile(text);
  if (dryRun) {
    log.say('notice', `would create ${printable(text)}`);
    return EXIT.ok;
  }
  if (prefix === '') await store.createBucket();
  else if (!(await isMarked(side))) await store.put(prefix, new Uint8Array());
  log.say('info', `created ${printable(text)}`);
  return EXIT.ok;
}

async function isMarked({ store, prefix }: OpenSide): Promise<boolean> {
  try {
    await store.head(prefix);
    return true;
  } catch (error) {
    if (!isXsyncError(error, 'object-not-found')) throw error;
    return false;
  }
}

async function remove(side: OpenSide, { log }: Context, { dryRun }: FolderFlags): Promise<number> {
  const { store, prefix, text } = side;
  if (store.capabilities.local && side.path !== '') throw isFile(text);
  const { entries, prefixes } = await store.list({ prefix, delimiter: '/', emptyFolders: true, maxKeys: 2 });
  // An object of that name that has bytes is no mere marker.
  const marked = entries.some(({ key, size }) => prefix !== '' && key === prefix && size === 0);
  if (entries.length + prefixes.length > (marked ? 1 : 0)) throw notEmpty(text);
  if (prefix !== '' && !marked) {
    throw new XsyncError('bucket-not-found', `there is nothing at ${text}`, { subject: text });
  }
  if (dryRun) {
    log.say('notice', `would delete ${printable(text)}`);
    return EXIT.ok;
  }
  if (prefix === '') await store.deleteBucket();
  else for (const { error } of await store.delete([prefix])) throw error;
  log.say('info', `deleted ${printable(text)}`);
  return EXIT.ok;
}

function isFile(text: string): XsyncError {
  return new XsyncError('usage', `${text} is a file, not a folder`, { subject: text });
}

function notEmpty(text: string): XsyncError {
  return new XsyncError('guard', `${text} is not empty`, {
    subject: text,
    remedy: 'List it with xsync ls; xsync purge deletes it with everything in it.',
  });
}

const MKDIR_EXAMPLES = `
Examples:
  xsync mkdir shanghai:new-bucket
  xsync mkdir lab:bucket/2024
  xsync mkdir ./backup`;

const RMDIR_EXAMPLES = `
Examples:
  xsync rmdir shanghai:old-bucket
  xsync rmdir ./backup`;
