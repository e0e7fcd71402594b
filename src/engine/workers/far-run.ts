/**
 * One run in a worker: the means of its tickets. Limits and checkpoints are the main thread's.
 * Tests: test/engine/workers/workers.test.ts
 */
import type { CopyTicket } from '../../model/ticket.js';
import { difference, NOTHING } from '../../store/wrap/meter.js';
import type { StoreView } from '../../store/wrap/share.js';
import { FarAccount, SharedCount } from '../flow/account.js';
import { MemoryBudget } from '../flow/budget.js';
import { Halt, type StopLevel } from '../flow/halt.js';
import type { RunSide } from '../pair.js';
import { trustIn } from '../transfer/etag-trust.js';
import type { Means, Observation, Refusals } from '../transfer/means.js';
import { perform } from '../transfer/perform.js';
import { ignoringChecksums } from '../transfer/unverified.js';
import { farCheckpoints } from './far-checkpoints.js';
import { FarSlots } from './far-slots.js';
import {
  type Answer,
  errorOf,
  type Order,
  plainError,
  type Report,
  SIDES,
  type Terms,
  type WorkerSide,
} from './messages.js';

/** The main thread raises the level itself after its grace period. */
const GRACE_MS = 2 ** 31 - 1;

/** The stores, opened in this thread. */
export type Sides = Record<WorkerSide, Pick<RunSide, 'view' | 'findings'>>;

export class FarRun {
  readonly #run: number;
  readonly #tell: (report: Report) => void;
  readonly #halt = new Halt(GRACE_MS);
  readonly #slots: FarSlots;
  readonly #means: Omit<Means, 'slots'>;
  readonly #views: Record<(typeof SIDES)[number], StoreView>;
  readonly #reported = { source: NOTHING, dest: NOTHING };
  readonly #asked = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void }>();
  #requests = 0;

  constructor(run: number, terms: Terms, sides: Sides, tell: (report: Report) => void) {
    this.#run = run;
    this.#tell = tell;
    const viewOf = (side: 'source' | 'dest') => {
      const view = sides[side].view((event) => tell({ type: 'retried', run, side, event }));
      if (view.elsewhere) view.elsewhere.contact.answered ||= terms.answered[side];
      return view;
    };
    this.#views = { source: viewOf('source'), dest: viewOf('dest') };
    this.#slots = new FarSlots(run, tell);
    const means = {
      ...{ source: this.#views.source.store, dest: this.#views.dest.store, halt: this.#halt },
      budget: this.#budgetOf(terms.memory),
      checkpoints: farCheckpoints((question) => this.#ask((request) => ({ type: 'asks', run, request, question }))),
      etags: trustIn(terms.trust),
      refusals: new Map() as Refusals,
      observe: (observation: Observation) => tell({ type: 'observed', run, observation }),
    };
    this.#means = terms.unverified ? ignoringChecksums(means) : means;
  }

  async perform(id: number, ticket: CopyTicket): Promise<void> {
    const run = this.#run;
    const opened = (): void => this.#tell({ type: 'opened', run, id });
    try {
      const outcome = await perform(ticket, { ...this.#means, slots: this.#slots.of(id), opened });
      this.#tell({ type: 'outcome', run, id, outcome });
    } catch (error) {
      this.#tell({ type: 'outcome', run, id, outcome: plainError(error) });
    }
  }

  stop(level: StopLevel): void {
    this.#halt.stop('interrupted', level);
  }

  hear(order: Extract<Order, { type: 'slot' | 'spare' | 'granted' | 'answer' }>): void {
    if (order.type === 'slot') this.#slots.grant(order.slot);
    else if (order.type === 'spare') this.#slots.spare = order.slots;
    else this.#answered(order.request, order.type === 'answer' ? order.answer : { type: 'answer' });
  }

  /** What the run's calls have moved since this was last called. */
  *traffic(): Generator<Report> {
    for (const side of SIDES) {
      const now = this.#views[side].traffic();
      const counts = difference(now, this.#reported[side]);
      this.#reported[side] = now;
      if (counts) yield { type: 'traffic', run: this.#run, side, counts };
    }
  }

  end(): void {
    this.#halt.dispose();
  }

  #budgetOf({ limit, used, threads }: Terms['memory']): MemoryBudget {
    const run = this.#run;
    const ask = async (size: number): Promise<void> => {
      await this.#ask((request) => ({ type: 'wants-memory', run, request, size }));
    };
    const freed = (): void => this.#tell({ type: 'frees-memory', run });
    return new MemoryBudget(limit, { account: new FarAccount(limit, new SharedCount(used), ask, freed), threads });
  }

  #ask(question: (request: number) => Report): Promise<Answer> {
    const request = this.#requests++;
    return new Promise((resolve, reject) => {
      this.#asked.set(request, { resolve, reject });
      this.#tell(question(request));
    });
  }

  #answered(request: number, answer: Extract<Order, { type: 'answer' }>['answer']): void {
    const asked = this.#asked.get(request);
    this.#asked.delete(request);
    if (answer.type === 'answer') asked?.resolve(answer);
    else asked?.reject(errorOf(answer));
  }
}
