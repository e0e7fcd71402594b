import { type ErrorCode, type ErrorDetails, XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { type Call, InterceptedStore } from '../../../src/store/wrap/intercept.js';

/** A clock that stands still until everyone sleeps, and then is when the first of them wakes. */
export class FakeClock {
  nowMs = 0;
  readonly slept: number[] = [];
  readonly #sleepers: { untilMs: number; wake: () => void }[] = [];

  readonly now = () => this.nowMs;

  readonly sleep = (ms: number) => {
    this.slept.push(ms);
    return new Promise<void>((wake) => {
      this.#sleepers.push({ untilMs: this.nowMs + ms, wake });
      if (this.#sleepers.length === 1) setImmediate(() => this.#wakeNext());
    });
  };

  #wakeNext(): void {
    this.#sleepers.sort((a, b) => a.untilMs - b.untilMs);
    const next = this.#sleepers.shift();
    if (this.#sleepers.length > 0) setImmediate(() => this.#wakeNext());
    this.nowMs = Math.max(this.nowMs, next?.untilMs ?? 0);
    next?.wake();
  }
}

export const fault = (code: ErrorCode, details?: ErrorDetails) => new XsyncError(code, `made up: ${code}`, details);

export interface Attempt {
  /** Bytes that pass before it ends. */
  bytes?: number;
  /** Thrown at its end; without one, the call is made. */
  error?: unknown;
}

export interface Scripted {
  store: ObjectStore;
  /** Every call that arrived. */
  calls: Call[];
}

/** A memory bucket whose calls first go as the script says, one entry each, and then as usual. */
export function scripted(script: readonly Attempt[], inner: ObjectStore = new MemoryStore()): Scripted {
  const calls: Call[] = [];
  const store = new InterceptedStore(inner, async (call, run) => {
    const attempt = script[calls.push(call) - 1] ?? {};
    if (attempt.bytes) await call.pace?.(attempt.bytes);
    if (attempt.error) throw attempt.error;
    return run(call.pace);
  });
  return { store, calls };
}
