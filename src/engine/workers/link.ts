/**
 * One run and its workers: sends them tickets, and does for them what only the main thread can: slots, memory,
 * checkpoints, events and counts.
 * Tests: test/engine/workers/workers.test.ts
 */
import type { XsyncError } from '../../model/error.js';
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Elsewhere } from '../../store/wrap/share.js';
import type { Ledger, SharedCount } from '../flow/account.js';
import { isSmall } from '../flow/lanes.js';
import type { RunPair } from '../pair.js';
import { trustIn } from '../transfer/etag-trust.js';
import type { Means } from '../transfer/means.js';
import type { PartSlots } from '../transfer/slots.js';
import type { Moving } from '../tune/flow.js';
import { answerTo } from './far-checkpoints.js';
import { errorOf, plainError, type Report, type Terms, type WorkerSide } from './messages.js';
import type { Client, Pool, Worker } from './pool.js';

type Limit = ReturnType<PartSlots['ofObject']>;

/** A ticket that a worker performs. */
interface Job {
  worker: Worker;
  weight: number;
  /** Limits of the slots of its objects, by the worker's numbers. */
  limits: Map<number, Limit>;
  opened?: () => void;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** What a worker holds of the run. */
interface Seat {
  lost: boolean;
  /** Slots, and how to free them. */
  slots: Map<number, () => void>;
  moving: Map<number, Moving>;
}

/** The count of leased memory: see `Shared`. */
interface Memory {
  ledger: Ledger;
  count: SharedCount | undefined;
}

export interface LinkContext {
  pool: Pool;
  means: Pick<Means, 'halt' | 'observe' | 'checkpoints' | 'slots'>;
  memory: { ledger: Ledger; count: SharedCount; limit: number };
  trust: SharedArrayBuffer;
  unverified: boolean;
  elsewhere: Record<WorkerSide, Elsewhere>;
}

const MIB = 2 ** 20;

/** Undefined if the run has no workers. Its means get what they know of ETags in memory that the workers share. */
export function linkOf(pair: RunPair, { ledger, count }: Memory, means: Means, unverified: boolean): Link | undefined {
  const { workers: pool, source, dest } = pair;
  if (!pool || !count || !source.elsewhere || !dest.elsewhere) return undefined;
  const trust = new SharedArrayBuffer(4);
  means.etags = trustIn(trust);
  const memory = { ledger, count, limit: means.budget.limit };
  const elsewhere = { source: source.elsewhere, dest: dest.elsewhere };
  return new Link({ pool, means, memory, trust, unverified, elsewhere });
}

export class Link implements Client {
  readonly #context: LinkContext;
  readonly #run: number;
  readonly #seats = new Map<Worker, Seat>();
  readonly #jobs = new Map<number, Job>();
  readonly #unhear: () => void;
  #ids = 0;

  constructor(context: LinkContext) {
    this.#context = context;
    this.#run = context.pool.join(this);
    this.#unhear = context.means.halt.hear((level) => {
      for (const { outbox } of this.#seats.keys()) outbox.add({ type: 'halt', run: this.#run, level });
    });
  }

  /** @returns undefined if the main thread should perform it. @throws faults that end the run */
  perform(ticket: CopyTicket, opened?: () => void): Promise<Outcome> | undefined {
    const { pool } = this.#context;
    if (!pool.active) return undefined;
    const send = () => this.#send(ticket, opened);
    // A large object's requests are limited by the slots of its parts.
    return isSmall({ size: ticket.source.size, byService: false }) ? pool.limit(send) : send();
  }

  #send(ticket: CopyTicket, opened: Job['opened']): Promise<Outcome> {
    const worker = this.#context.pool.choose(this.#run);
    const weight = 1 + ticket.source.size / MIB;
    const id = this.#ids++;
    worker.weight += weight;
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, { worker, weight, limits: new Map(), opened, resolve, reject });
      worker.outbox.add({ type: 'copy', run: this.#run, id, ticket });
    });
  }

  /** The run is over, and no ticket is in progress. */
  end(): void {
    this.#unhear();
    this.#context.pool.leave(this.#run);
  }

  began(worker: Worker): void {
    const { memory, trust, unverified, elsewhere, pool, means } = this.#context;
    const terms: Terms = {
      unverified,
      memory: { limit: memory.limit, used: memory.count.memory, threads: pool.most + 1 },
      trust,
      answered: { source: elsewhere.source.contact.answered, dest: elsewhere.dest.contact.answered },
    };
    const run = this.#run;
    this.#seats.set(worker, { lost: false, slots: new Map(), moving: new Map() });
    worker.outbox.add({ type: 'begin', run, terms });
    const { level } = means.halt;
    if (level) worker.outbox.add({ type: 'halt', run, level });
  }

  heard(worker: Worker, report: Parameters<Client['heard']>[1]): void {
    const { means, elsewhere } = this.#context;
    const seat = this.#seats.get(worker);
    if (!seat) return;
    if (report.type === 'observed') means.observe(report.observation);
    else if (report.type === 'retried') elsewhere[report.side].retried(report.event);
    else if (report.type === 'traffic') elsewhere[report.side].counted(report.counts);
    else if (report.type === 'opened') this.#jobs.get(report.id)?.opened?.();
    else if (report.type === 'outcome') this.#ended(report);
    else if (report.type === 'asks') void this.#answer(worker, report);
    else if (report.type === 'wants-slot' || report.type === 'frees-slot') this.#slot(worker, seat, report);
    else if (report.type === 'wants-memory' || report.type === 'frees-memory') this.#memory(worker, seat, report);
    else this.#moved(seat, report);
  }

  lost(worker: Worker, error: XsyncError): void {
    const seat = this.#seats.get(worker);
    if (!seat) return;
    seat.lost = true;
    this.#seats.delete(worker);
    for (const free of seat.slots.values()) free();
    for (const moving of seat.moving.values()) moving.end();
    const { memory } = this.#context;
    memory.count.clear();
    memory.ledger.look();
    for (const [id, job] of this.#jobs) {
      if (job.worker !== worker) continue;
      this.#jobs.delete(id);
      job.reject(error);
    }
  }

  #ended({ id, outcome }: Extract<Report, { type: 'outcome' }>): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#jobs.delete(id);
    job.worker.weight -= job.weight;
    if ('kind' in outcome) job.resolve(outcome);
    else job.reject(errorOf(outcome));
  }

  async #answer(worker: Worker, { request, question }: Extract<Report, { type: 'asks' }>): Promise<void> {
    const answer = await answerTo(question, this.#context.means.checkpoints).catch(plainError);
    worker.outbox.add({ type: 'answer', run: this.#run, request, answer });
  }

  #slot(worker: Worker, seat: Seat, report: Extract<Report, { type: 'wants-slot' | 'frees-slot' }>): void {
    const { pool, means } = this.#context;
    const { slots } = means;
    const run = this.#run;
    const { slot } = report;
    if (report.type === 'frees-slot') {
      seat.slots.get(slot)?.();
      seat.slots.delete(slot);
      // A part that is far too slow may use a slot that nobody else wants.
      setImmediate(() => this.#tellSpare());
      return;
    }
    const job = this.#jobs.get(report.id);
    if (!job) return;
    const limit = job.limits.get(report.object) ?? slots.ofObject();
    job.limits.set(report.object, limit);
    const granted = async (): Promise<void> => {
      if (seat.lost) return;
      worker.outbox.add({ type: 'slot', run, slot });
      await new Promise<void>((free) => seat.slots.set(slot, free));
    };
    void limit(() => pool.limit(granted));
  }

  #tellSpare(): void {
    const order = { type: 'spare', run: this.#run, slots: this.#context.means.slots.spare } as const;
    for (const [{ outbox }, seat] of this.#seats) if (seat.slots.size > 0) outbox.add(order);
  }

  #memory(worker: Worker, seat: Seat, report: Extract<Report, { type: 'wants-memory' | 'frees-memory' }>): void {
    const { ledger } = this.#context.memory;
    const run = this.#run;
    if (report.type === 'frees-memory') {
      ledger.look();
      return;
    }
    const { request, size } = report;
    void ledger.wait(size).then(() => {
      if (seat.lost) ledger.give(size);
      else worker.outbox.add({ type: 'granted', run, request });
    });
  }

  #moved({ moving }: Seat, report: Extract<Report, { type: 'moving' | 'moved' | 'turned' | 'arrived' }>): void {
    const { part } = report;
    if (report.type === 'moving') moving.set(part, this.#context.means.slots.partFlow.begin(report.size));
    else if (report.type === 'turned') moving.get(part)?.turn();
    else if (report.type === 'moved') {
      moving.get(part)?.read(report.read);
      moving.get(part)?.wrote(report.written);
    } else {
      moving.get(part)?.end();
      moving.delete(part);
    }
  }
}
