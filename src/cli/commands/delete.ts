/** `delete` and `purge`. Tests: test/cli/delete.test.ts */
import { lstatSync } from 'node:fs';
import type { Command } from 'commander';
import type { RunEvent } from '../../engine/events.js';
import type { Filter } from '../../engine/filter/filter.js';
import type { Values } from '../../engine/job/job.js';
import { DELETE_PLACE } from '../../engine/job/options.js';
import { LINKS } from '../../engine/job/places.js';
import type { Removed, RemoveOptions } from '../../engine/remove/remove.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import { filterOf } from '../../open/job.js';
import type { OpenSide } from '../../open.js';
import { type Context, type Io, runCommand } from '../context.js';
import { flag } from '../define.js';
import { EXIT } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import { options } from '../job.js';
import {
  configOption,
  filterOptions,
  listOption,
  networkOptions,
  type ReportFlags,
  reportOptions,
} from '../options.js';
import type { Program } from '../program.js';
import { Questions } from '../questions.js';
import { formatBytes, plural } from '../render/format.js';
import { keyText, printable } from '../render/printable.js';
import { type ListingFlags, walk, withSide } from './reading.js';

const { localEncoding } = LINKS;
const { deleteUnchecked, maxDelete, rmdirs, ...DRY } = DELETE_PLACE;

type DeleteFlags = ListingFlags & ReportFlags & Values<typeof DELETE_PLACE> & { interactive?: true };

/** What stops the command, and what asks before each delete. */
type Control = Pick<RemoveOptions, 'stop' | 'confirm'>;

export function addDelete({ root, io, finish }: Program): void {
  const command = root
    .command('delete <path>')
    .summary('delete objects')
    .description(
      'Delete the objects below path that pass the filters; folders and the bucket are kept, and so is an ' +
        'object that is overwritten during the run.',
    )
    .optionsGroup('Delete:')
    .addHelpText('after', DELETE_EXAMPLES);
  options(command, { ...DRY, maxDelete, deleteUnchecked, rmdirs });
  filterOptions(command);
  placeOptions(command).action(async (path: string, flags: DeleteFlags) => {
    finish(await onPlace(io, path, flags, (context, side, control) => deleteBelow(context, side, flags, control)));
  });
}

export function addPurge({ root, io, finish }: Program): void {
  const command = root
    .command('purge <path>')
    .summary('delete a bucket or a folder with everything in it')
    .description(
      'Delete every object below path, unfinished uploads, and the folder or bucket itself. Filters do not apply.',
    )
    .optionsGroup('Delete:')
    .addHelpText('after', PURGE_EXAMPLES);
  options(command, { ...DRY, maxDelete });
  placeOptions(command).action(async (path: string, flags: DeleteFlags) => {
    finish(await onPlace(io, path, flags, (context, side, control) => purge(context, side, flags, control)));
  });
}

function placeOptions(command: Command): Command {
  flag(command, '-i, --interactive', 'ask before each delete');
  listOption(command);
  // Links are never followed.
  options(command, { localEncoding });
  networkOptions(command);
  reportOptions(command);
  return configOption(command);
}

function onPlace(
  io: Io,
  path: string,
  flags: DeleteFlags,
  body: (context: Context, side: OpenSide, control: Control) => Promise<number>,
): Promise<number> {
  return runCommand(io, flags, { bars: false }, async (context) => {
    const interruption = onInterrupt(context);
    const stop = interruption.signal;
    const asks = flags.interactive && !flags.dryRun;
    const questions = asks ? new Questions(io, () => interruption.stop()) : undefined;
    try {
      return await withSide(context, path, flags, (side) => body(context, side, { stop, confirm: questions?.confirm }));
    } finally {
      questions?.close();
      interruption.dispose();
    }
  });
}

async function deleteBelow(context: Context, side: OpenSide, flags: DeleteFlags, control: Control): Promise<number> {
  const filter = await filterOf(flags);
  const removed = await remove(context, side, flags, control, {
    filter,
    looks: flags.deleteUnchecked !== true,
    keepFolders: true,
    specials: false,
  });
  if (flags.rmdirs && !flags.dryRun && !removed.interrupted) {
    const { deleteEmptyFolders } = await import('../../engine/remove/empty-folders.js');
    const enters = filter && ((folder: string) => filter.mayContain(folder));
    await deleteEmptyFolders(side, { enters, stops: () => control.stop.aborted });
  }
  return tellEnd(context, side, flags, removed);
}

async function purge(context: Context, side: OpenSide, flags: DeleteFlags, control: Control): Promise<number> {
  const { store, prefix } = side;
  if (store.capabilities.local) requireFolder(side);
  const removed = await remove(context, side, flags, control, { looks: false, keepFolders: false, specials: true });
  const left = removed.failed.objects + removed.kept.objects + removed.declined.objects;
  const whole = !flags.dryRun && !removed.interrupted && left === 0;
  if (whole) {
    await abortUploads(side);
    const { deleteEmptyFolders } = await import('../../engine/remove/empty-folders.js');
    await deleteEmptyFolders(side, { stops: () => control.stop.aborted });
    if (prefix === '') await store.deleteBucket();
  }
  return tellEnd(context, side, flags, removed);
}

/** @throws usage: the path is not that of a folder with a name of its own */
function requireFolder({ bucket, givenAs, path, text }: OpenSide): void {
  const refused = (what: string, remedy: string) =>
    new XsyncError('usage', `${text} is ${what}, not a folder`, { subject: text, remedy });
  if (path !== '') throw refused('a file', 'Use xsync delete.');
  if (bucket === '/') throw refused('the root of the file system', 'Name a folder in it.');
  const isLink = lstatSync(givenAs, { throwIfNoEntry: false })?.isSymbolicLink();
  if (isLink) throw refused('a link', `To delete what it leads to, name ${bucket} itself.`);
}

async function abortUploads({ store, prefix, text }: OpenSide): Promise<void> {
  const guard = new PageGuard(text);
  let token: string | undefined;
  try {
    do {
      const page = await store.listUploads({ prefix, token });
      for (const upload of page.uploads) await store.abortUpload(upload);
      token = page.nextToken;
      guard.follow({ first: page.uploads[0]?.uploadId, last: page.uploads.at(-1)?.uploadId, token });
    } while (token !== undefined);
  } catch (error) {
    // Deleting the bucket shows whether there are any.
    if (!isXsyncError(error, 'unsupported')) throw error;
  }
}

interface How {
  filter?: Filter;
  looks: boolean;
  keepFolders: boolean;
  specials: boolean;
}

/** @throws guard: --max-delete, before anything is deleted */
async function remove(
  context: Context,
  side: OpenSide,
  flags: DeleteFlags,
  control: Control,
  { filter, ...how }: How,
): Promise<Removed> {
  const { removeObjects } = await import('../../engine/remove/remove.js');
  const pages = (): AsyncGenerator<ObjectEntry[], void, void> => entries(context, side, flags, filter);
  const most = await mostDeletes(flags, () => entries(context, side, flags, undefined));
  const options = { ...how, ...control, checkers: CHECKERS, dryRun: flags.dryRun === true, most };
  // Nothing is deleted if there is too much: that shows only at the end of the listing.
  if (most !== undefined && !flags.dryRun) await removeObjects(side, pages(), { ...options, dryRun: true }, () => {});
  const { log } = context;
  const report = (event: RunEvent): void => {
    if (event.type !== 'doom') log.report(event);
    else log.tell('notice', event, () => [`would delete ${keyText(event.key)}  ${formatBytes(event.size)}`]);
  };
  return removeObjects(side, pages(), options, report);
}

/** A percentage is one of all objects below the path, whether or not they pass the filters. */
async function mostDeletes(
  { maxDelete }: DeleteFlags,
  all: () => AsyncIterable<readonly ObjectEntry[]>,
): Promise<number | undefined> {
  if (maxDelete === undefined || 'objects' in maxDelete) return maxDelete?.objects;
  let objects = 0;
  for await (const page of all()) objects += page.length;
  return Math.floor((objects * maxDelete.percent) / 100);
}

const CHECKERS = 16;

async function* entries(context: Context, side: OpenSide, flags: DeleteFlags, filter: Filter | undefined) {
  const how = { oneLevel: false, filter, context, concurrency: flags.listConcurrency };
  for await (const page of walk(side, how)) yield page.flatMap(({ entry }) => entry ?? []);
}

function tellEnd({ log }: Context, { text }: OpenSide, { dryRun }: DeleteFlags, removed: Removed): number {
  const { deleted, failed, kept, declined, interrupted } = removed;
  const exitCode = exitOf(removed);
  log.tell(
    'notice',
    { type: 'end', ...{ path: text, dryRun: dryRun === true, deleted, failed, kept, declined, exitCode } },
    () => [
      `${dryRun ? 'Would delete' : 'Deleted'} ${plural(deleted.objects, 'object')}, ${formatBytes(deleted.bytes)}, from ${printable(text)}`,
      ...(kept.objects > 0 ? [`Kept ${plural(kept.objects, 'object')} that changed meanwhile`] : []),
      ...(declined.objects > 0 ? [`Declined ${plural(declined.objects, 'object')}`] : []),
      ...(failed.objects > 0 ? [`${plural(failed.objects, 'object')} could not be deleted`] : []),
      ...(interrupted ? ['Interrupted: run the command again'] : []),
    ],
  );
  return exitCode;
}

function exitOf({ failed, kept, interrupted }: Removed): number {
  if (interrupted) return EXIT.interrupted;
  const temporary = (failed.byClass.temporary ?? 0) + kept.objects;
  const objects = failed.objects + kept.objects;
  if (objects === 0) return EXIT.ok;
  return temporary >= objects ? EXIT.temporary : EXIT.objectsFailed;
}

const DELETE_EXAMPLES = `
Examples:
  xsync delete --dry-run shanghai:logs --min-age 30d
  xsync delete lab:bucket/tmp --max-delete 1000

On a store without conditional deletes, each object costs a HEAD first;
--delete-unchecked omits it.`;

const PURGE_EXAMPLES = `
Examples:
  xsync purge --dry-run lab:bucket/tmp
  xsync purge shanghai:old-bucket

In a versioned bucket, older versions of objects are kept, and so is the bucket.`;
