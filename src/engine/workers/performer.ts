/**
 * The work of a worker: performs the tickets that it is sent, for any number of runs over one pair.
 * Tests: test/engine/workers/workers.test.ts
 */
import { FarRun, type Sides } from './far-run.js';
import type { Order, Report } from './messages.js';
import { Outbox } from './outbox.js';

export class Performer {
  readonly #sides: Sides;
  readonly #outbox: Outbox<Report>;
  readonly #runs = new Map<number, FarRun>();
  /** Reports in the outbox that can be added to. */
  readonly #sums = new Map<string, Report>();

  constructor(sides: Sides, post: (reports: readonly Report[]) => void) {
    this.#sides = sides;
    this.#outbox = new Outbox((reports) => {
      this.#sums.clear();
      post([...[...this.#runs.values()].flatMap((run) => [...run.traffic()]), ...reports]);
    });
    for (const side of ['source', 'dest'] as const) {
      sides[side].findings?.hear((message) => this.#tell({ type: 'found', side, message }));
    }
  }

  hear(orders: readonly Order[]): void {
    for (const order of orders) this.#obey(order);
  }

  #obey(order: Order): void {
    if (order.type === 'close') return;
    if (order.type === 'begin') {
      this.#runs.set(order.run, new FarRun(order.run, order.terms, this.#sides, (report) => this.#tell(report)));
      return;
    }
    const run = this.#runs.get(order.run);
    if (order.type === 'copy') void run?.perform(order.id, order.ticket);
    else if (order.type === 'halt') run?.stop(order.level);
    else if (order.type === 'end') {
      run?.end();
      this.#runs.delete(order.run);
    } else run?.hear(order);
  }

  /** Bytes of one object, or of one part, are summed as long as they wait. */
  #tell(report: Report): void {
    const name = nameOf(report);
    const sum = name === undefined ? undefined : this.#sums.get(name);
    if (sum && add(sum, report)) return;
    if (name !== undefined) this.#sums.set(name, report);
    if (name === undefined) this.#outbox.add(report);
    else this.#outbox.addLater(report);
  }
}

function nameOf(report: Report): string | undefined {
  if (report.type === 'moved') return `${report.run} ${report.part}`;
  if (report.type !== 'observed' || report.observation.type !== 'progress') return undefined;
  return `${report.run} of ${report.observation.key}`;
}

function add(sum: Report, { ...more }: Report): boolean {
  if (sum.type === 'moved' && more.type === 'moved') {
    sum.read += more.read;
    sum.written += more.written;
    return true;
  }
  if (sum.type !== 'observed' || more.type !== 'observed') return false;
  const [a, b] = [sum.observation, more.observation];
  if (a.type !== 'progress' || b.type !== 'progress') return false;
  a.bytes += b.bytes;
  return true;
}
