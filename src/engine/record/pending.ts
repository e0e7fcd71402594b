/** Tests: test/engine/record/progress.test.ts */
import type { RunEvent } from '../events.js';
import { add, nothing, type Sum } from './sum.js';

/** An object that is being transferred. */
export interface InFlight {
  key: string;
  /** Bytes. */
  size: number;
  /** Bytes at the destination, including those that an earlier run sent. */
  bytes: number;
}

/** Objects that are planned and not finished, of one run or of concurrent runs: no more than their queues hold. */
export class Pending {
  /** Runs that have started and not ended. Events do not name their run. */
  running = 0;
  dryRun = false;
  /** By key. */
  readonly #objects = new Map<string, InFlight & { begun: boolean }>();
  /** A dry run queues nothing: its plans are only counted, because they may be as many as there are objects. */
  #forecast = nothing();

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'plan':
        if (this.dryRun) add(this.#forecast, event.size);
        else this.#objects.set(event.key, { key: event.key, size: event.size, bytes: 0, begun: false });
        break;
      case 'begin':
        this.#begin(event);
        break;
      case 'progress':
        this.#send(event);
        break;
      case 'restart':
        this.#restart(event.key);
        break;
      case 'copied':
      // It may have been planned before another run of this process copied it.
      case 'skip':
        this.#objects.delete(event.key);
        break;
      case 'failed':
        if (event.operation === undefined) this.#objects.delete(event.key);
        break;
      case 'start':
        this.#start(event.dryRun);
        break;
      case 'again':
        this.#forecast = nothing();
        break;
      case 'end':
        this.running = Math.max(0, this.running - 1);
        break;
    }
  }

  get inFlight(): InFlight[] {
    const begun = [...this.#objects.values()].filter((object) => object.begun);
    return begun.map(({ key, size, bytes }) => ({ key, size, bytes }));
  }

  /** Of the `bytes` of all pending objects, those `sent` and those `left`. */
  sums(): Sum & { sent: number; left: number } {
    const { objects, bytes } = this.#forecast;
    const sums = { objects: objects + this.#objects.size, bytes, sent: 0, left: bytes };
    for (const object of this.#objects.values()) {
      sums.bytes += object.size;
      sums.sent += object.bytes;
      sums.left += Math.max(0, object.size - object.bytes);
    }
    return sums;
  }

  #begin({ key, size, resumedBytes }: Extract<RunEvent, { type: 'begin' }>): void {
    const object = this.#objects.get(key);
    if (!object) this.#objects.set(key, { key, size, bytes: resumedBytes, begun: true });
    else {
      object.size = size;
      object.bytes = resumedBytes;
      object.begun = true;
    }
  }

  #send({ key, bytes }: Extract<RunEvent, { type: 'progress' }>): void {
    const object = this.#objects.get(key);
    if (object) object.bytes += bytes;
  }

  #restart(key: string): void {
    const object = this.#objects.get(key);
    if (object) object.bytes = 0;
  }

  /** What an earlier run was stopped at is not pending: it does not report it. */
  #start(dryRun: boolean): void {
    this.dryRun = dryRun;
    this.running++;
    if (this.running > 1) return;
    this.#objects.clear();
    this.#forecast = nothing();
  }
}
