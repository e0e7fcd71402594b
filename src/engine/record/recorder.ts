/**
 * Records the outcomes of tickets as manifest rows, in the failed list and as events.
 * Tests: test/engine/copy.test.ts
 */
import type { Manifest, ManifestRow } from '../../manifest/port.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Copied, Fault } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Census } from '../census.js';
import type { Reporter } from '../events.js';
import { arrivedMs } from './arrived.js';
import type { Committer } from './commit.js';

/** A version of an object that failed; `sourceMtimeMs` is of the oldest version that has not arrived. */
export interface FailedObject {
  key: string;
  size: number;
  sourceEtag: string;
  sourceMtimeMs: number;
}

/** A listed object in the form of the failed list. */
export function failedObject({ key, size, etag, mtimeMs }: Pick<ObjectEntry, 'key' | 'size' | 'etag' | 'mtimeMs'>) {
  return { key, size, sourceEtag: etag, sourceMtimeMs: mtimeMs } satisfies FailedObject;
}

/** The version that a ticket names. */
export function objectOf({ key, source }: CopyTicket): FailedObject {
  return { key, size: source.size, sourceEtag: source.etag, sourceMtimeMs: source.mtimeMs };
}

/** The key of the object that is copied in place of the source's, as events name it. */
export function twinOf(key: string, { key: full, twin }: CopyTicket['dest']): { from?: string } {
  return twin ? { from: twin.key.slice(full.length - key.length) } : {};
}

export interface RecorderOptions {
  manifest: Manifest;
  committer: Committer;
  census: Census;
  emit: Reporter;
  /** Of both sides, see `RunPair`. */
  settings: string;
  /** The run is about one object. */
  single: boolean;
  /** Writes nothing to the manifest. */
  dryRun: boolean;
}

const RESTORE = 'Restore it with --restore or at the service, or exclude it.';
const LATER = 'Run again when the service has restored it.';

export class Recorder {
  readonly #options: RecorderOptions;
  /** Objects with a damaged copy. However often one is recorded in a run, it counts as one attempt. */
  readonly #damaged = new Set<string>();
  /** Outcomes that were recorded before a ticket of this run asked for them; it gets the same object. */
  readonly #recovered = new WeakSet<Copied>();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** A copy that a worker made for an earlier run, unless that run recorded it. This run may be told of it once more. */
  recovered(ticket: CopyTicket, copied: Copied): void {
    const row = this.#options.manifest.get(ticket.key);
    if (row?.sourceEtag === ticket.source.etag && row.destEtag === copied.destEtag) return;
    this.copied(ticket, copied, 0);
    this.#recovered.add(copied);
  }

  copied(ticket: CopyTicket, copied: Copied, elapsedMs: number): void {
    if (this.#recovered.delete(copied)) return;
    const { key, source, dest } = ticket;
    const { destEtag, verifiedBy, parts, resumedParts, resumedBytes, fidelity } = copied;
    const { size, etag: sourceEtag, mtimeMs: sourceMtimeMs } = source;
    this.#damaged.delete(key);
    const content = copied.content ?? dest.twin?.content;
    const atMs = Date.now();
    this.#options.committer.add({
      key,
      size,
      sourceEtag,
      sourceMtimeMs,
      destEtag,
      verifiedBy,
      ours: true,
      atMs,
      content,
    });
    const { from } = twinOf(key, dest);
    const replaced = dest.replaces !== undefined;
    this.#options.emit({
      type: 'copied',
      key,
      size,
      verifiedBy,
      parts,
      resumedParts,
      resumedBytes,
      elapsedMs,
      sourceMtimeMs,
      replaced,
      from,
      fidelity,
    });
  }

  /** Found equal without a copy: the next run does not have to compare it again. */
  adopt(row: ManifestRow | undefined): void {
    if (row && !this.#options.dryRun) this.#options.committer.add(row);
  }

  /** The destination may hold damaged bytes now, which no later run may trust. */
  damaged(object: FailedObject, fault: Fault): void {
    this.#note(object, fault);
    this.#damaged.add(object.key);
  }

  /** The run tries the object again at its end: if it is killed before, a later run does. */
  deferred(object: FailedObject, fault: Fault): void {
    this.#note(object, fault);
  }

  failed(object: FailedObject, fault: Fault, attempts: number): void {
    if (!this.#options.dryRun) this.#note(object, fault);
    this.#damaged.delete(object.key);
    this.#options.census.fail();
    const { class: kind, code, message, remedy } = fault;
    const { key, size } = object;
    this.#options.emit({ type: 'failed', key, size, class: kind, code, message, remedy, attempts });
  }

  /**
   * Left out because it must be restored first. That is no failure of a run over many objects, but the failed list has it.
   */
  archived(object: FailedObject, { restoring, message }: { restoring: boolean; message: string }): void {
    const fault: Fault = restoring
      ? { class: 'temporary', code: 'object-restoring', message, remedy: LATER }
      : { class: 'person', code: 'object-archived', message, remedy: RESTORE };
    if (this.#options.single) this.failed(object, fault, 1);
    else {
      if (!this.#options.dryRun) this.#note(object, fault);
      this.#damaged.delete(object.key);
      this.reportArchived(object, fault);
    }
  }

  reportArchived({ key, size }: FailedObject, { code, message: detail }: Pick<Fault, 'code' | 'message'>): void {
    const reason = code === 'object-restoring' ? 'restoring' : 'archived';
    this.#options.emit({ type: 'skip', key, size, reason, detail });
  }

  /** A row of a listing, of which no key is known. */
  unnamed({ class: kind, code, message, remedy }: Fault): void {
    this.#options.census.fail();
    const what = { key: '', size: 0, class: kind, code, message, remedy, attempts: 1 };
    this.#options.emit({ type: 'failed', ...what, operation: 'list' });
  }

  /** A conflict that a person must decide. Not on the failed list, which would hold it back: each run looks at it again. */
  undecided({ key, size }: FailedObject, { class: kind, code, message, remedy }: Fault): void {
    this.#options.census.fail();
    this.#options.emit({ type: 'failed', key, size, class: kind, code, message, remedy, attempts: 0 });
  }

  /** The row stays in the manifest, so that the next run finds the object again and deletes it. */
  deleteFailed({ key, size }: { key: string; size: number }, fault: Fault): void {
    const { class: kind, code, message, remedy } = fault;
    const what = { key, size, class: kind, code, message, remedy, attempts: 1 };
    this.#options.emit({ type: 'failed', ...what, operation: 'delete' });
  }

  #note(object: FailedObject, { class: kind, code, message }: Fault): void {
    const { manifest, settings } = this.#options;
    const again = this.#damaged.has(object.key);
    const nowMs = Date.now();
    const arrived = { arrivedMs: arrivedMs(manifest, object, nowMs) };
    manifest.fail({ ...object, ...arrived, class: kind, code, message, settings, lastMs: nowMs }, again);
  }
}
