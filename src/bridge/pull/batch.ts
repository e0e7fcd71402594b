/**
 * Tickets of the queue that are performed together: their leases, and what becomes of them.
 * Tests: test/bridge/pull/performer.test.ts
 */
import type { Claim, Fault, Settled, TicketQueue } from '../../manifest/queues.js';
import type { Fidelity } from '../../model/attributes.js';
import { toXsyncError } from '../../model/error.js';
import type { VerifiedBy } from '../../model/verified.js';
import { retryPauseMs } from '../pace.js';
import { type BridgeTicket, bridgeTicket } from '../ticket.js';
import { faultOfFidelity } from './fidelity.js';

/** An outcome, and of an object that was copied what has proved its bytes. */
export type Outcome = Settled & { verifiedBy?: VerifiedBy };

/** What became of a ticket. `again`: it failed for a reason that may pass; `waits`: once somebody has mended something. */
export type Result = Omit<Outcome, 'id'> | { again: Fault; waits?: boolean };

export interface BatchMeans {
  queue: TicketQueue;
  /** @param body of the ticket, as it was kept */
  settled(key: string, result: Outcome, body: string): void;
  /** A ticket is tried again once somebody has mended this. */
  waiting(key: string, fault: Fault): void;
  trouble(message: string): void;
  /** Attempts of a ticket. */
  attempts: number;
}

/** A batch renews the leases of its tickets. */
export const LEASE_MS = 60_000;

export class Batch {
  readonly #means: BatchMeans;
  readonly #claims: Map<string, Claim>;
  readonly #results = new Map<string, Result>();
  readonly #fidelity = new Map<string, Fidelity>();
  readonly #renewing: NodeJS.Timeout;

  constructor(claims: readonly Claim[], means: BatchMeans) {
    this.#means = means;
    this.#claims = new Map(claims.map((claim) => [claim.key, claim]));
    this.#renewing = setInterval(() => void this.#renew(), LEASE_MS / 3);
  }

  /** Those that can be performed. The others have a result. */
  tickets(nowMs: number): ReadonlyMap<string, BridgeTicket> {
    const tickets = new Map<string, BridgeTicket>();
    for (const { key, body, attempts } of this.#claims.values()) {
      const { data: ticket } = bridgeTicket.safeParse(JSON.parse(body));
      if (attempts >= this.#means.attempts) this.note(key, { state: 'dead', fault: NO_RESULT });
      // Another edition of the program took it: the pushing end sends it again.
      else if (!ticket) this.note(key, { state: 'expired' });
      else if (ticket.action === 'copy' && ticket.expiresMs <= nowMs) this.note(key, { state: 'expired' });
      else tickets.set(key, ticket);
    }
    return tickets;
  }

  note(key: string, result: Result): void {
    this.#results.set(key, result);
  }

  /** What became of the attributes of an object; the result says whether it is done. */
  lose(key: string, fidelity: Fidelity): void {
    this.#fidelity.set(key, fidelity);
  }

  /** The result, if none was noted. */
  suppose(key: string, result: Result): void {
    if (!this.#results.has(key)) this.note(key, result);
  }

  /** Writes the results down. */
  async settle(): Promise<void> {
    const { queue, settled, attempts: most } = this.#means;
    const final: (Outcome & Claim)[] = [];
    for (const [key, result] of this.#results) {
      const claim = this.#claims.get(key);
      if (!claim) continue;
      if (!('again' in result)) final.push({ ...claim, ...result, ...this.#noteOf(key, result) });
      else if (claim.attempts + 1 >= most) final.push({ ...claim, state: 'dead', fault: result.again });
      else {
        const pauseMs = retryPauseMs(claim.attempts, result.waits === true);
        await queue.putBack([claim], Date.now() + pauseMs, result.again);
        if (result.waits) this.#means.waiting(key, result.again);
      }
      this.#claims.delete(key);
    }
    const lost = new Set(await queue.settle(final));
    for (const { key, id, state, fault, verifiedBy, body } of final) {
      if (!lost.has(id)) settled(key, { id, state, fault, verifiedBy }, body);
    }
  }

  #noteOf(key: string, { state }: Pick<Settled, 'state'>): Pick<Settled, 'fault'> {
    const told = this.#fidelity.get(key);
    return state === 'done' && told ? { fault: faultOfFidelity(told) } : {};
  }

  /** Puts back what has no result. */
  async close(): Promise<void> {
    clearInterval(this.#renewing);
    const left = [...this.#claims.values()];
    // What cannot be put back now is due again when its lease runs out.
    if (left.length > 0) await this.#means.queue.putBack(left, 0).catch(this.#tell);
  }

  async #renew(): Promise<void> {
    const held = [...this.#claims.values()];
    // Until the leases run out, the next attempt may succeed.
    const still = await this.#means.queue.renew(held, Date.now() + LEASE_MS).catch(this.#tell);
    for (const claim of still ?? []) if (this.#claims.has(claim.key)) this.#claims.set(claim.key, claim);
  }

  readonly #tell = (error: unknown): void => this.#means.trouble(toXsyncError(error).message);
}

const NO_RESULT: Fault = {
  code: 'internal',
  message: 'each attempt ended without a result: the process that made it was killed or ran out of time',
};
