/**
 * Writes that replace nothing but what was compared, also where the store compares nothing itself: a HEAD directly before
 * the write. What somebody writes between the two is overwritten; in a bucket with versions it stays as an older one.
 * Tests: test/engine/transfer/firm.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { CopyTicket } from '../../model/ticket.js';
import type * as port from '../../store/port.js';
import { InterceptedStore } from '../../store/wrap/intercept.js';
import { headIfThere } from '../decide/inspect.js';
import { type Means, Overtaken } from './means.js';

/** The means for a ticket whose condition is firm. */
export function firmly(means: Means, { dest }: Pick<CopyTicket, 'dest'>): Means {
  if (!dest.firm || dest.expects === undefined) return means;
  return { ...means, dest: new FirmStore(means.dest, dest.key, dest.expects) };
}

class FirmStore extends InterceptedStore {
  readonly #key: string;
  readonly #expects: string;

  constructor(inner: port.ObjectStore, key: string, expects: string) {
    super(inner, (call, run) => run(call.pace, call.onRequest));
    this.#key = key;
    this.#expects = expects;
  }

  override async put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    await this.#refuseOther(key, options);
    return super.put(key, body, options);
  }

  override get putPieces(): port.ObjectStore['putPieces'] {
    const put = super.putPieces?.bind(this);
    return (
      put &&
      (async (key, body, options = {}) => {
        await this.#refuseOther(key, options);
        return put(key, body, options);
      })
    );
  }

  /** No store compares what a copy by the service replaces. */
  override async copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    options: port.CopyOptions = {},
  ): Promise<port.WriteResult> {
    if (key === this.#key && !(await this.#stands(options.signal))) throw new Overtaken();
    return super.copy(source, sourceKey, key, options);
  }

  override async completeUpload(
    upload: port.UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: port.CompleteOptions = {},
  ): Promise<port.WriteResult> {
    if (options.replaces !== undefined) await this.#refuseOther(upload.key, options);
    else if (upload.key === this.#key && !(await this.#stands(options.signal))) throw new Overtaken();
    return super.completeUpload(upload, parts, options);
  }

  /** As a store refuses that compares. @throws precondition-failed */
  async #refuseOther(key: string, { signal }: port.CallOptions): Promise<void> {
    if (key !== this.#key || this.capabilities.writesIfMatch || (await this.#stands(signal))) return;
    throw new XsyncError('precondition-failed', 'somebody else has written it', { subject: key });
  }

  async #stands(signal: AbortSignal | undefined): Promise<boolean> {
    const there = await headIfThere(this.inner, this.#key, signal ?? new AbortController().signal);
    return there ? sameEtag(there.etag, this.#expects) : this.#expects === '';
  }
}
