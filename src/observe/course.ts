/** What is going on right now. Runs follow each other or go on side by side; their events do not say whose they are. */
import type { RunEvent } from '../engine/events.js';

export class Course {
  /** Runs at work. */
  running = 0;
  readonly #inFlight = new Set<string>();
  readonly #listed = { source: 0, destination: 0 };

  get inFlight(): number {
    return this.#inFlight.size;
  }

  hear(event: RunEvent): void {
    if (event.type === 'start') this.running++;
    if (event.type === 'begin') this.#inFlight.add(event.key);
    if (event.type === 'copied' || event.type === 'failed') this.#inFlight.delete(event.key);
    if (event.type === 'end') this.#ended();
  }

  /** How many objects more than when it was last told. A smaller sum than before is another run's. */
  listedMore({ side, objects }: Extract<RunEvent, { type: 'listed' }>): number {
    const before = this.#listed[side];
    this.#listed[side] = objects;
    return objects >= before ? objects - before : objects;
  }

  #ended(): void {
    this.running = Math.max(0, this.running - 1);
    if (this.running > 0) return;
    // What was stopped half-way said nothing more.
    this.#inFlight.clear();
    this.#listed.source = this.#listed.destination = 0;
  }
}
