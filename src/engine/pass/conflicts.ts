/**
 * Objects that the destination cannot hold beside another one: on a disk, `a` and `a/b`. If the other one may be about
 * to be deleted, they are copied after the deletes. They wait in the failed list, so that memory does not grow with them.
 */
import type { FailureRow } from '../../manifest/port.js';
import type { Fault } from '../../model/outcome.js';
import type { RunPair, RunSide } from '../pair.js';
import { isRefusedBeside } from '../plan/fault.js';
import type { FailedObject, Recorder } from '../record/recorder.js';

const PAGE = 1000;

/** Another object, or a folder, was in the way when the object was written. */
export function isConflict({ store, prefix }: RunSide, { key, code }: Pick<FailureRow, 'key' | 'code'>): boolean {
  return isRefusedBeside(store, prefix + key, code);
}

export class Conflicts {
  readonly #pair: Pick<RunPair, 'dest' | 'manifest'>;
  readonly #recorder: Pick<Recorder, 'deferred'>;
  readonly #sinceMs: number;
  #any = false;

  /** @param sinceMs start of the run, ms since 1970 */
  constructor(pair: Pick<RunPair, 'dest' | 'manifest'>, recorder: Pick<Recorder, 'deferred'>, sinceMs: number) {
    this.#pair = pair;
    this.#recorder = recorder;
    this.#sinceMs = sinceMs;
  }

  /** @returns whether the object is tried again, so that it has not failed yet */
  takes(object: FailedObject, fault: Fault): boolean {
    if (!isConflict(this.#pair.dest, { key: object.key, code: fault.code })) return false;
    this.#recorder.deferred(object, fault);
    this.#any = true;
    return true;
  }

  /** The keys, page by page. */
  *keys(): Generator<string[], void, void> {
    const { dest, manifest } = this.#pair;
    for (let after: string | undefined; this.#any; ) {
      const rows = manifest.failures(after, PAGE);
      after = rows.at(-1)?.key;
      if (after === undefined) return;
      const ours = rows.filter((row) => row.lastMs >= this.#sinceMs && isConflict(dest, row));
      if (ours.length > 0) yield ours.map(({ key }) => key);
    }
  }
}
