/**
 * Objects that the destination cannot hold beside one that is about to be deleted: on a disk, `a` and `a/b`. They are
 * copied after the deletes. They wait in the failed list, so that memory does not grow with them.
 */
import type { Manifest } from '../../manifest/port.js';
import type { Fault } from '../../model/outcome.js';
import type { FailedObject, Recorder } from '../record/recorder.js';

const PAGE = 1000;

export class Conflicts {
  readonly #manifest: Pick<Manifest, 'failures'>;
  readonly #recorder: Pick<Recorder, 'deferred'>;
  readonly #sinceMs: number;
  #any = false;

  /** @param sinceMs start of the run, ms since 1970 */
  constructor(manifest: Pick<Manifest, 'failures'>, recorder: Pick<Recorder, 'deferred'>, sinceMs: number) {
    this.#manifest = manifest;
    this.#recorder = recorder;
    this.#sinceMs = sinceMs;
  }

  /** @returns whether the object is tried again, so that it has not failed yet */
  takes(object: FailedObject, fault: Fault): boolean {
    if (fault.code !== 'name-conflict') return false;
    this.#recorder.deferred(object, fault);
    this.#any = true;
    return true;
  }

  /** The keys, page by page. */
  *keys(): Generator<string[], void, void> {
    for (let after: string | undefined; this.#any; ) {
      const rows = this.#manifest.failures(after, PAGE);
      after = rows.at(-1)?.key;
      if (after === undefined) return;
      const keys = rows.flatMap(({ key, code, lastMs }) =>
        code === 'name-conflict' && lastMs >= this.#sinceMs ? [key] : [],
      );
      if (keys.length > 0) yield keys;
    }
  }
}
