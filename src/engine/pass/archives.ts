/**
 * Archived objects of the source. They cannot be read before they are restored, so they are left out, and wait in the
 * failed list: a later run copies those that have become readable.
 * Tests: test/engine/pass/archives.test.ts
 */
import type { FailureRow } from '../../manifest/port.js';
import type { ObjectEntry } from '../../model/object.js';
import { dueMs } from '../record/failed.js';
import { failedObject } from '../record/recorder.js';
import type { RunContext } from './context.js';

/** The row of an object that was left out because it is archived. */
export function isArchivedRow({ code, dropped }: Pick<FailureRow, 'code' | 'dropped'>): boolean {
  return code === 'object-archived' && !dropped;
}

/** A read would be refused. */
export function isUnreadable({ archive }: ObjectEntry): boolean {
  return archive === 'frozen' || archive === 'restoring';
}

type Context = Pick<RunContext, 'pair' | 'options' | 'recorder'>;

export class Archives {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Whether to leave an object alone that was archived when it was last read. The listing often tells what it is now;
   * otherwise only another read can, and the pause between two of them grows.
   */
  waits(source: ObjectEntry, failure: FailureRow, nowMs: number): boolean {
    if (failure.sourceEtag !== source.etag || source.archive !== undefined) return false;
    if (nowMs >= dueMs(failure, nowMs)) return false;
    const { pair, options, recorder } = this.#context;
    if (!options.dryRun) pair.manifest.seeFailure(source.key, nowMs);
    recorder.reportArchived(failedObject(source), failure.message);
    return true;
  }

  /** Leaves out an object whose listing tells that it cannot be read. */
  leave(source: ObjectEntry): void {
    const what = source.storageClass === undefined ? 'archived' : `archived (${source.storageClass})`;
    const message = source.archive === 'restoring' ? `${what}, and being restored` : what;
    this.#context.recorder.archived(failedObject(source), message);
  }
}
