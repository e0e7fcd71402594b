/** Deletes the objects below one place, as `delete` and `purge` ask. Tests: test/cli/delete.test.ts */
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Fault } from '../../model/outcome.js';
import { type DeleteTicket, TICKET_VERSION } from '../../model/ticket.js';
import type { Failure, Reporter, Summary } from '../events.js';
import { Halt } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import type { RunSide } from '../pair.js';
import { placeOf } from '../plan/plan.js';
import { performDeletes } from '../transfer/perform.js';

export interface RemoveOptions {
  dryRun: boolean;
  /** More objects are not deleted. */
  most?: number;
  /** Send a HEAD for each object where the store's delete has no condition: what was rewritten since stays. */
  looks: boolean;
  /** HEADs in flight. */
  checkers: number;
  keepFolders: boolean;
  /** Also what is no object: links, pipes. */
  specials: boolean;
  stop: AbortSignal;
  /** Asks before each delete; absent in a dry run. */
  confirm?: (action: 'delete', key: string, size: number) => Promise<boolean>;
}

/** What was done; in a dry run, what would be. */
export interface Removed {
  deleted: { objects: number; bytes: number };
  failed: Pick<Summary['failed'], 'objects' | 'byClass'>;
  /** Rewritten since they were listed. */
  kept: { objects: number; bytes: number };
  /** Not deleted, by the answer of `confirm`. */
  declined: { objects: number; bytes: number };
  interrupted: boolean;
}

const BATCH = 1000;
/** With HEADs, so that they and the delete are close together. */
const LOOKED_AT = 100;
const IN_FLIGHT = 4;
const GRACE_MS = 4000;

/**
 * @param pages what to delete, as listed; keys in events are relative to the side
 * @throws guard: more than `most`; faults of the listing, and those that concern every object
 */
export async function removeObjects(
  side: RunSide,
  pages: AsyncIterable<readonly ObjectEntry[]>,
  options: RemoveOptions,
  report: Reporter,
): Promise<Removed> {
  const removal = new Removal(side, options, report);
  const onStop = (): void => removal.halt.stop('interrupted', 'parts');
  options.stop.addEventListener('abort', onStop);
  if (options.stop.aborted) onStop();
  try {
    for await (const page of pages) {
      for (const entry of page) {
        if (removal.halt.stops('objects')) break;
        await removal.take(entry);
      }
      if (removal.halt.stops('objects')) break;
    }
    return await removal.end();
  } finally {
    options.stop.removeEventListener('abort', onStop);
    removal.halt.dispose();
  }
}

class Removal {
  readonly halt = new Halt(GRACE_MS);
  readonly #side: RunSide;
  readonly #options: RemoveOptions;
  readonly #report: Reporter;
  readonly #queue = new Queue(limiter(IN_FLIGHT));
  readonly #limit;
  readonly #sums: Omit<Removed, 'interrupted'> = {
    deleted: { objects: 0, bytes: 0 },
    failed: { objects: 0, byClass: {} },
    kept: { objects: 0, bytes: 0 },
    declined: { objects: 0, bytes: 0 },
  };
  #batch: ObjectEntry[] = [];
  #taken = 0;

  constructor(side: RunSide, options: RemoveOptions, report: Reporter) {
    this.#side = side;
    this.#options = options;
    this.#report = report;
    this.#limit = limiter(options.checkers);
  }

  get #looks(): boolean {
    return this.#options.looks && !this.#side.store.capabilities.deletesIfMatch;
  }

  /** @throws guard */
  async take(entry: ObjectEntry): Promise<void> {
    const { most, dryRun, specials, confirm } = this.#options;
    if (!specials && (entry.special === 'symlink' || entry.special === 'other')) return;
    if (most !== undefined && this.#taken >= most) throw tooMany(most);
    this.#taken++;
    if (dryRun) return this.#foretell(entry);
    if (confirm && !(await confirm('delete', this.#nameOf(entry.key), entry.size))) {
      this.#count('declined', entry.size);
      return;
    }
    this.#batch.push(entry);
    if (this.#batch.length >= this.#batchSize) await this.#push();
  }

  /** Objects per delete. What was confirmed is not kept waiting for the next answer. */
  get #batchSize(): number {
    if (this.#options.confirm) return 1;
    return this.#looks ? LOOKED_AT : BATCH;
  }

  /** @throws the fault that ended the deletes */
  async end(): Promise<Removed> {
    if (this.#batch.length > 0) await this.#push();
    await this.#queue.drain();
    const { fatal, reason } = this.halt;
    if (fatal) throw fatal.error;
    return { ...this.#sums, interrupted: reason !== undefined };
  }

  #foretell({ key, size }: ObjectEntry): void {
    this.#report({ type: 'doom', key: this.#nameOf(key), size, reason: 'requested' });
    this.#count('deleted', size);
  }

  async #push(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    await this.#queue.push(() => this.#delete(batch));
  }

  async #delete(batch: readonly ObjectEntry[]): Promise<void> {
    const { keepFolders } = this.#options;
    if (this.halt.stops('objects')) return;
    try {
      const means = { dest: this.#side.store, halt: this.halt, limitInspections: this.#limit, keepFolders };
      const outcomes = await performDeletes(
        batch.map((entry) => this.#ticketOf(entry)),
        means,
      );
      for (const [index, { key, size }] of batch.entries()) {
        const outcome = outcomes[index];
        const name = this.#nameOf(key);
        if (outcome?.kind === 'failed') this.#failed(name, size, outcome.fault);
        if (outcome?.kind === 'overtaken') {
          this.#count('kept', size);
          this.#report({ type: 'keep', key: name, size, reason: 'changed-at-destination' });
        }
        if (outcome?.kind !== 'deleted') continue;
        this.#count('deleted', size);
        this.#report({ type: 'deleted', key: name, size });
      }
    } catch (error) {
      if (!this.halt.signal.aborted) this.halt.fail(toXsyncError(error));
    }
  }

  #ticketOf({ key, size, etag }: ObjectEntry): DeleteTicket {
    const { store } = this.#side;
    const conditional = this.#options.looks || store.capabilities.deletesIfMatch;
    const dest = { place: placeOf(store), key, size, etag: conditional ? etag : undefined };
    return { version: TICKET_VERSION, action: 'delete', key: this.#nameOf(key), dest };
  }

  #failed(key: string, size: number, fault: Fault): void {
    const { byClass } = this.#sums.failed;
    this.#sums.failed.objects++;
    byClass[fault.class] = (byClass[fault.class] ?? 0) + 1;
    const failure: Failure = { key, size, ...fault, attempts: 1, operation: 'delete' };
    this.#report({ type: 'failed', ...failure });
  }

  #count(what: 'deleted' | 'kept' | 'declined', bytes: number): void {
    this.#sums[what].objects++;
    this.#sums[what].bytes += bytes;
  }

  /** A path that names an object has no key below it. */
  #nameOf(key: string): string {
    const { prefix } = this.#side;
    return key.startsWith(prefix) && key !== prefix ? key.slice(prefix.length) : key;
  }
}

function tooMany(most: number): XsyncError {
  return new XsyncError('guard', `more than ${most} objects would be deleted, which is more than --max-delete allows`, {
    remedy: 'List them with --dry-run.',
  });
}
