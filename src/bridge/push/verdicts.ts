/** What becomes of a row of the outbox: by its outcome, or because of a fault. Tests: test/bridge/push/sender.test.ts */
import type { Fault, Move, Outbox, OutboxRow } from '../../manifest/queues.js';
import { isXsyncError, toXsyncError, type XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import type { ObjectCatalog } from '../../store/port.js';
import { backoff, retryPauseMs } from '../pace.js';
import { type Troubles, waitsForPerson } from '../troubles.js';
import type { Outcomes } from './client.js';
import { changeSeen, goneOf } from './poll.js';

export interface VerdictMeans {
  store: Pick<ObjectCatalog, 'head'>;
  prefix: string;
  outbox: Pick<Outbox, 'note'>;
  /** Times that a ticket is sent, or sent again, before it is dead. */
  attempts: number;
  deletes: boolean;
  dead(row: OutboxRow): void;
  /** Something that a person should know, and that holds up nothing. */
  warn(message: string): void;
}

const FIRST_MS = 1_000;
const LONGEST_RETRY_MS = 600_000;

export class Verdicts {
  readonly #means: VerdictMeans;
  readonly #troubles: Pick<Troubles, 'block' | 'unblock'>;

  constructor(means: VerdictMeans, troubles: Pick<Troubles, 'block' | 'unblock'>) {
    this.#means = means;
    this.#troubles = troubles;
  }

  /** @param outcome undefined: the other end does not know its ticket */
  async settle(row: OutboxRow, outcome: Outcomes[number] | undefined): Promise<Move[]> {
    switch (outcome?.state) {
      case 'queued':
        // Those that have not been asked about for longest come first. What is wrong there tells `replay` which ones wait.
        return [moved(row, { untilMs: Date.now(), fault: outcome.fault ?? row.fault })];
      case 'done':
        this.#troubles.unblock(row.key);
        return [moved(row, { state: 'done' })];
      case 'changed':
        return this.#lookAgain(row, READ_ANOTHER);
      case 'dead':
        return [this.given(row, outcome.fault ?? { code: 'internal', message: 'the other end gave it up' })];
      // Its URL has expired, or the other end has lost it: with a fresh one, it goes on from its checkpoint. If that
      // happens again and again, a clock is wrong.
      default:
        if (outcome?.fault?.code === 'expired-url') return [moved(row, { state: 'waiting', attempts: 0 })];
        if (outcome?.fault) return this.#renewed(row, outcome.fault);
        if (row.attempts === QUICK_RENEWALS) {
          const what = `the other end could not read ${JSON.stringify(row.key)} before its URL expired, ${row.attempts} times`;
          this.#means.warn(`${what}; check the clocks, or use a longer --expire`);
        }
        return [moved(row, { state: 'waiting', untilMs: Date.now() + renewalPauseMs(row) })];
    }
  }

  /**
   * The source refused the URL, although its time was not over: the keys that signed it may have been replaced. A request
   * of our own finds that out, and has them renewed. Only refusals in a row count.
   */
  #renewed(row: OutboxRow, fault: Fault): Promise<Move[]> {
    const before = row.fault?.code === fault.code ? row.attempts : 1;
    return this.#lookAgain({ ...row, attempts: before }, fault);
  }

  /** @param fault of the ticket, if the object is still what it names */
  async #lookAgain(row: OutboxRow, fault: Fault): Promise<Move[]> {
    const { outbox, deletes } = this.#means;
    try {
      const now = await this.head(row);
      if (now && sameEtag(now.etag, row.etag)) return [this.#same(row, fault)];
      if (row.version !== undefined) return [this.#passed(row)];
      if (now) await outbox.note([changeSeen(now, row)], 'waiting');
      // It never arrived: if the same bytes come back, they are news.
      else await outbox.note([goneOf(row)], deletes ? 'waiting' : 'known');
      return [];
    } catch (error) {
      return [this.failed(row, faultOfOne(error))];
    }
  }

  /** A URL that is refused once may have been signed by keys that were replaced since; one that is again lacks a right. */
  #same(row: OutboxRow, fault: Fault): Move {
    const lacks = { ...fault, class: 'person' as const };
    const waits = fault.code === 'refused-url';
    const again = this.#again(row, fault, waits);
    if (again.state === 'waiting' && waits && row.attempts > 1) this.#troubles.block(row.key, lacks);
    return again;
  }

  /** Only failures in a row count. */
  failed(row: OutboxRow, { code, message, class: kind }: XsyncError): Move {
    const fault = { code, message };
    const waits = waitsForPerson({ ...fault, class: kind });
    if (kind !== 'temporary' && !waits) return this.given(row, fault);
    const before = row.fault?.code === code ? row.attempts : 0;
    const again = this.#again({ ...row, attempts: before + 1 }, fault, waits);
    if (again.state === 'waiting' && waits) this.#troubles.block(row.key, { ...fault, class: kind });
    return again;
  }

  #again(row: OutboxRow, fault: Fault, waits = false): Move {
    if (row.attempts >= this.#means.attempts) return this.given(row, fault);
    const untilMs = Date.now() + retryPauseMs(row.attempts - 1, waits);
    return moved(row, { state: 'waiting', untilMs, fault });
  }

  /** The version was deleted for good, or replaced if it has the ID `null`, before it had crossed. */
  #passed(row: OutboxRow): Move {
    this.#means.warn(`a version of ${JSON.stringify(row.key)} is gone from the source before it has crossed`);
    this.#troubles.unblock(row.key);
    return moved(row, { state: 'known', passes: true });
  }

  /** A version that was given up holds up the newer ones of its key, unless it is archived. */
  given(row: OutboxRow, fault: Fault): Move {
    this.#means.dead({ ...row, fault });
    this.#troubles.unblock(row.key);
    const passes = row.version === undefined || fault.code === 'object-archived';
    return moved(row, { state: 'dead', fault, ...(passes && { passes }) });
  }

  /** Undefined: it is gone. */
  async head({ key, version, versionId }: OutboxRow): Promise<ObjectInfo | undefined> {
    const { store, prefix } = this.#means;
    try {
      return { ...(await store.head(prefix + key, version === undefined ? {} : { versionId })), key };
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) return undefined;
      throw error;
    }
  }
}

const READ_ANOTHER: Fault = { code: 'source-changed', message: 'the other end read another version' };

/** The fault of one object. @throws another one: it is that of the store or of the network, and does not count */
export function faultOfOne(error: unknown): XsyncError {
  const fault = toXsyncError(error);
  const ofOne =
    fault.class === 'permanent' || ['access-denied', 'server-error', 'invalid-response'].includes(fault.code);
  if (!ofOne || fault.code === 'internal') throw error;
  return fault;
}

const QUICK_RENEWALS = 5;

function renewalPauseMs({ attempts }: OutboxRow): number {
  return attempts < QUICK_RENEWALS ? 0 : backoff(attempts - QUICK_RENEWALS, FIRST_MS, LONGEST_RETRY_MS);
}

/** The row as it is then. */
export function moved({ key, revision, state, attempts }: OutboxRow, to: Partial<Move>): Move {
  return { key, revision, state, attempts, ...to };
}
