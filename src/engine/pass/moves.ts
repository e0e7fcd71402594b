/**
 * `move`: deletes objects at the source, each only after the destination's copy of that very version was proved.
 * Tests: test/cli/move.test.ts
 */
import { randomBytes } from 'node:crypto';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { Fault, Outcome } from '../../model/outcome.js';
import { PageGuard } from '../../model/paging.js';
import { type DeleteTicket, TICKET_VERSION } from '../../model/ticket.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { SkipReason } from '../decide/decide.js';
import { headIfThere } from '../decide/inspect.js';
import type { Reporter } from '../events.js';
import { endsRun, type Halt } from '../flow/halt.js';
import { type Limiter, limiter, Queue } from '../flow/queue.js';
import type { MoveOptions, RunOptions } from '../options.js';
import type { RunPair, RunSide } from '../pair.js';
import { faultOf } from '../plan/fault.js';
import { placeOf } from '../plan/plan.js';
import type { Committer } from '../record/commit.js';
import type { Recorder } from '../record/recorder.js';
import { deleteEmptyFolders } from '../remove/empty-folders.js';

/** A version of an object at the source. */
export interface Moved {
  key: string;
  size: number;
  etag: string;
}

export interface MovesMeans {
  pair: RunPair;
  how: MoveOptions;
  filter: RunOptions['filter'];
  dryRun: boolean;
  halt: Halt;
  emit: Reporter;
  recorder: Recorder;
  committer: Committer;
  limitInspections: Limiter;
  /** Performs deletes at the source. @throws faults that end the run */
  perform(tickets: readonly DeleteTicket[]): Promise<Outcome[]>;
}

/** Objects per delete request: few enough that each is deleted soon after it was proved. */
const BATCH = 100;
const IN_FLIGHT = 2;
/** These comparisons prove that both sides have the same bytes. The comparison of a move believes only proofs. */
const PROOFS: ReadonlySet<SkipReason> = new Set(['unchanged', 'same-checksum', 'same-target']);
/** These say that nothing differs, and prove nothing. Others leave the object where it is because the user wants it so. */
const GUESSES: ReadonlySet<SkipReason> = new Set(['same-time', 'same-size', 'size-ignored']);
/** The copies that a checksum, the service that made them, or the target of a link has proved. */
const PROVED: ReadonlySet<VerifiedBy> = new Set([
  ...(['md5', 'sha256', 'sha1', 'md5-of-parts', 'crc64', 'crc32'] as const),
  ...(['computed', 'server', 'link'] as const),
]);

const CHANGED: Fault = {
  class: 'temporary',
  code: 'source-changed',
  message: 'changed at the source after it was copied, so it stays there',
  remedy: 'Run again.',
};
const GONE: Fault = {
  class: 'temporary',
  code: 'source-changed',
  message: 'changed at the destination after it was compared, so it stays at the source',
  remedy: 'Run again.',
};
const UNPROVEN: Fault = {
  class: 'permanent',
  code: 'unsupported',
  message: 'only its size could be compared, so it stays at the source',
  remedy: 'Copy it again with --ignore-times, or compare with "xsync check --download" and delete it.',
};

export class Moves {
  readonly #means: MovesMeans;
  readonly #queue = new Queue(limiter(IN_FLIGHT));
  #waiting: Moved[] = [];

  constructor(means: MovesMeans) {
    this.#means = means;
  }

  /** The destination has confirmed the copy. */
  async copied(object: Moved, verifiedBy: VerifiedBy): Promise<void> {
    if (PROVED.has(verifiedBy)) await this.#add(object);
    else this.#stays(object, UNPROVEN);
  }

  /** The object is in the plan of a dry run. */
  planned(object: Moved): void {
    this.#means.emit({ type: 'doom', key: object.key, size: object.size, reason: 'moved' });
  }

  /** Whether a comparison with this result leaves the object at the source because it proves nothing. */
  isGuess(reason: SkipReason): boolean {
    return GUESSES.has(reason);
  }

  /** Not copied, because the destination has it. @param there ETag of the destination's object, if it was listed */
  async skipped(object: Moved, reason: SkipReason, there: string | undefined): Promise<void> {
    if (this.isGuess(reason)) this.#stays(object, UNPROVEN);
    if (!PROOFS.has(reason)) return;
    if (this.#means.dryRun) return this.planned(object);
    if (await this.#isThere(object, there)) await this.#add(object);
  }

  /** The listing may be hours old, so the copy is looked at. */
  async #isThere(object: Moved, etag: string | undefined): Promise<boolean> {
    const { pair, halt, limitInspections } = this.#means;
    const { store, prefix } = pair.dest;
    try {
      const found = await limitInspections(() => headIfThere(store, prefix + object.key, halt.signal));
      if (found && sameEtag(found.etag, etag)) return true;
      this.#stays(object, GONE);
    } catch (error) {
      if (!halt.signal.aborted) this.#stays(object, faultOf(toXsyncError(error)));
    }
    return false;
  }

  async #add(object: Moved): Promise<void> {
    this.#waiting.push(object);
    if (this.#waiting.length >= BATCH) await this.#push();
  }

  async #push(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    await this.#queue.push(() => this.#delete(batch));
  }

  /** Deletes what is left, and then the empty folders. */
  async drain(): Promise<void> {
    if (this.#waiting.length > 0) await this.#push();
    await this.#queue.drain();
    const { how, halt, dryRun, pair, filter } = this.#means;
    if (!how.emptyFolders || dryRun || pair.single || halt.stops('objects')) return;
    const enters = filter && ((folder: string) => filter.mayContain(folder));
    await deleteEmptyFolders(pair.source, { enters, stops: () => halt.stops('objects'), signal: halt.signal });
  }

  async #delete(batch: readonly Moved[]): Promise<void> {
    const { halt, perform } = this.#means;
    if (halt.stops('objects')) return;
    try {
      const outcomes = await perform(batch.map((object) => this.#ticketOf(object)));
      for (const [index, object] of batch.entries()) this.#record(object, outcomes[index]);
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    }
  }

  #ticketOf({ key, size, etag }: Moved): DeleteTicket {
    const { store, prefix } = this.#means.pair.source;
    const dest = { place: placeOf(store), key: prefix + key, size, etag };
    return { version: TICKET_VERSION, action: 'delete', key, dest };
  }

  #record(object: Moved, outcome: Outcome | undefined): void {
    const { committer, emit } = this.#means;
    if (outcome?.kind === 'failed') this.#stays(object, outcome.fault);
    if (outcome?.kind === 'overtaken') this.#stays(object, CHANGED);
    if (outcome?.kind !== 'deleted') return;
    // Without a row, no later sync takes the copy for one whose source is gone.
    committer.forget(object.key);
    emit({ type: 'moved', key: object.key, size: object.size });
  }

  #stays({ key, size }: Moved, fault: Fault): void {
    this.#means.recorder.deleteFailed({ key, size }, fault);
  }
}

/**
 * Two names may lead to one place: an alias of the endpoint, a mount. There a move would delete the only copy. An upload
 * that is begun at the destination shows it, if the source lists it. Three requests, only where both sides are of one
 * kind and their keys overlap.
 * @throws usage
 */
export async function refuseOnePlace({ source, dest, single }: RunPair, signal: AbortSignal): Promise<void> {
  const [from, to] = [source.store.identity, dest.store.identity];
  // Of one bucket by one name, the paths have been compared.
  if (from.kind !== to.kind || (from.endpoint === to.endpoint && from.bucket === to.bucket)) return;
  const overlap = source.prefix.startsWith(dest.prefix) || dest.prefix.startsWith(source.prefix);
  if (single ? source.prefix !== dest.prefix : !overlap) return;
  if (await isAbsent(dest)) return;
  const key = `${dest.prefix}.xsync-probe-${randomBytes(6).toString('hex')}`;
  const upload = await dest.store.createUpload(key, { signal }).catch((error: unknown) => {
    // A bucket that does not exist is not the source. Other faults are reported by the copy.
    if (isXsyncError(error) && !endsRun(error)) return undefined;
    if (isXsyncError(error, 'bucket-not-found')) return undefined;
    throw error;
  });
  if (upload === undefined) return;
  try {
    if (!(await lists(source, key, upload.uploadId, signal))) return;
  } catch (error) {
    if (!isXsyncError(error, 'access-denied', 'unsupported')) throw error;
    // Buckets of different names are taken for different ones.
    if (from.bucket !== to.bucket) return;
    throw onePlace(source, dest, 'may be', error);
  } finally {
    await dest.store.abortUpload(upload);
  }
  throw onePlace(source, dest, 'are');
}

/** A folder that does not exist is no other place's, and the probe would create it although there is nothing to move. */
async function isAbsent({ store }: RunSide): Promise<boolean> {
  if (!store.capabilities.local) return false;
  try {
    await store.list({ prefix: '', delimiter: '/', maxKeys: 1 });
    return false;
  } catch (error) {
    // The probe meets other faults, too.
    return isXsyncError(error, 'bucket-not-found');
  }
}

async function lists(
  { store, text }: RunSide,
  prefix: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const guard = new PageGuard(text);
  for (let token: string | undefined; ; ) {
    const page = await store.listUploads({ prefix, token, signal });
    if (page.uploads.some((upload) => upload.uploadId === uploadId)) return true;
    token = page.nextToken;
    if (token === undefined) return false;
    guard.follow({ first: page.uploads[0]?.uploadId, last: page.uploads.at(-1)?.uploadId, token });
  }
}

function onePlace(source: RunSide, dest: RunSide, are: string, cause?: unknown): XsyncError {
  return new XsyncError('usage', `${source.text} and ${dest.text} ${are} the same place under two names`, {
    subject: dest.text,
    remedy: 'Give two different places.',
    cause,
  });
}
