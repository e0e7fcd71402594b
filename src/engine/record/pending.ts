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
  /** Sizes by key. */
  readonly #queued = new Map<string, number>();
  readonly #inFlight = new Map<string, InFlight>();
  /** A dry run queues nothing: its plans are only counted, because they may be as many as there are objects. */
  #forecast = nothing();

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'start':
        this.#start(event.dryRun);
        break;
      case 'plan':
        if (this.dryRun) add(this.#forecast, event.size);
        else this.#queued.set(event.key, event.size);
        break;
      case 'begin':
        this.#queued.delete(event.key);
        this.#inFlight.set(event.key, { key: event.key, size: event.size, bytes: event.resumedBytes });
        break;
      case 'progress':
        this.#send(event.key, event.bytes);
        break;
      case 'restart':
        this.#restart(event.key);
        break;
      case 'copied':
        this.#finish(event.key);
        break;
      case 'failed':
        if (event.operation === undefined) this.#finish(event.key);
        break;
      case 'skip':
        // It was planned, and another run of this process copied it first.
        this.#queued.delete(event.key);
        break;
      case 'again':
        this.#forecast = nothing();
        break;
      case 'end':
        this.running = Math.max(0, this.running - 1);
        break;
    }
  }

  get inFlight(): readonly InFlight[] {
    return [...this.#inFlight.values()];
  }

  /** Of the `bytes` of all pending objects, those `sent` and those `left`. */
  sums(): Sum & { sent: number; left: number } {
    const objects = this.#forecast.objects + this.#queued.size + this.#inFlight.size;
    let bytes = this.#forecast.bytes;
    for (const size of this.#queued.values()) bytes += size;
    const sums = { objects, bytes, sent: 0, left: bytes };
    for (const object of this.#inFlight.values()) {
      sums.bytes += object.size;
      sums.sent += object.bytes;
      sums.left += Math.max(0, object.size - object.bytes);
    }
    return sums;
  }

  /** What an earlier run was stopped at is not pending: it does not report it. */
  #start(dryRun: boolean): void {
    this.dryRun = dryRun;
    this.running++;
    if (this.running > 1) return;
    this.#queued.clear();
    this.#inFlight.clear();
    this.#forecast = nothing();
  }

  #send(key: string, bytes: number): void {
    const object = this.#inFlight.get(key);
    if (object) object.bytes += bytes;
  }

  #restart(key: string): void {
    const object = this.#inFlight.get(key);
    if (object) object.bytes = 0;
  }

  #finish(key: string): void {
    if (!this.#inFlight.delete(key)) this.#queued.delete(key);
  }
}
