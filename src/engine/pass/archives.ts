/**
 * Archived objects of the source. They cannot be read before they are restored, so they are left out, and wait in the
 * failed list: a later run copies those that have become readable. With --restore, the service is asked for them.
 * Tests: test/engine/pass/archives.test.ts
 */
import type { FailureRow } from '../../manifest/port.js';
import { toXsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { endsRun } from '../flow/halt.js';
import { faultOf } from '../plan/fault.js';
import { dueMs } from '../record/failed.js';
import { failedObject } from '../record/recorder.js';
import type { RunContext } from './context.js';

/** The row of an object that was left out because it is archived. */
export function isArchivedRow({ code, dropped }: Pick<FailureRow, 'code' | 'dropped'>): boolean {
  return (code === 'object-archived' || code === 'object-restoring') && !dropped;
}

/** A read would be refused. */
export function isUnreadable({ archive }: Pick<ObjectEntry, 'archive'>): boolean {
  return archive === 'frozen' || archive === 'restoring';
}

type Context = Pick<RunContext, 'pair' | 'options' | 'recorder' | 'halt' | 'forecast'>;
type Archived = Pick<ObjectEntry, 'key' | 'size' | 'etag' | 'mtimeMs' | 'storageClass' | 'archive'>;

/**
 * Whether to leave an object alone that was archived when it was last read. The listing often tells what it is now;
 * otherwise only another read can, and the pause between two of them grows.
 */
export function waits({ pair, options, recorder }: Context, source: ObjectEntry, failure: FailureRow): boolean {
  const nowMs = Date.now();
  if (failure.sourceEtag !== source.etag || source.archive !== undefined) return false;
  if (nowMs >= dueMs(failure, nowMs)) return false;
  if (!options.dryRun) pair.manifest.seeFailure(source.key, nowMs);
  recorder.reportArchived(failedObject(source), failure);
  return true;
}

/** Leaves out an object that cannot be read, and asks for it with --restore: one request. */
export async function leaveArchived(context: Context, object: Archived): Promise<void> {
  const { options, recorder, halt, forecast } = context;
  const what = object.storageClass === undefined ? 'archived' : `archived (${object.storageClass})`;
  const leave = (restoring: boolean, message: string) =>
    recorder.archived(failedObject(object), { restoring, message: `${what}${message}` });
  if (object.archive === 'restoring') return leave(true, ', and being restored');
  if (!options.restore) return leave(false, '');
  if (options.dryRun) {
    forecast.addRestore();
    return leave(true, ', and would be restored');
  }
  if (halt.stops('objects')) return;
  try {
    const restored = await ask(context, object);
    leave(true, restored === 'readable' ? ', and restored just now' : ', and being restored');
  } catch (error) {
    if (halt.signal.aborted) return;
    const fault = toXsyncError(error);
    if (endsRun(fault)) halt.fail(fault);
    else recorder.failed(failedObject(object), faultOf(fault), 1);
  }
}

/** Leaves out an object whose read was refused. To ask for it, one must know its class: a HEAD more. */
export async function leaveRefused(context: Context, object: Archived): Promise<void> {
  const { options, pair, halt } = context;
  if (!options.restore) return leaveArchived(context, object);
  const { source } = pair;
  try {
    const { storageClass, archive } = await source.store.head(source.prefix + object.key, { signal: halt.signal });
    await leaveArchived(context, { ...object, storageClass, archive });
  } catch (error) {
    if (halt.signal.aborted) return;
    context.recorder.failed(failedObject(object), faultOf(toXsyncError(error)), 1);
  }
}

function ask({ pair: { source }, options, halt }: Context, { key, storageClass }: Archived) {
  const { tier = 'standard', days = 1 } = options.restore ?? {};
  return source.store.restore(source.prefix + key, { tier, days, storageClass, signal: halt.signal });
}
