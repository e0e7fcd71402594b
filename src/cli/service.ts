/**
 * A command that runs until stopped, as a service: its signals, and its reports to a service manager.
 * Tests: test/e2e/watch.test.ts
 */
import type { RunEvent } from '../engine/events.js';
import type { Io } from './context.js';
import { EXIT } from './exit.js';
import type { Renderer } from './render/renderer.js';
import { openServiceManager } from './service-manager.js';

/** Time for transfers in flight to end after SIGTERM, before they are checkpointed. Kubernetes waits 30 s by default. */
const DRAIN_MS = 20_000;

/** What signals and a service manager need from the service. */
export interface Serving {
  /** Reads the configuration again. */
  reload(): Promise<void>;
  /** It is waiting for its next poll. */
  rests(): boolean;
}

export interface Service {
  /** Aborted when nothing new should start. */
  drain: AbortSignal;
  /** Aborted when transfers in flight should be checkpointed. */
  stop: AbortSignal;
  /** Stopped by Ctrl-C, not by a service manager. */
  readonly interrupted: boolean;
  /** From now on SIGHUP reloads it. */
  serving(work: Serving): void;
  hear(event: RunEvent): void;
  close(): Promise<void>;
}

/** @param drainMs from the first signal to `stop` */
export async function serve({ env }: Io, log: Renderer, drainMs = DRAIN_MS): Promise<Service> {
  const drain = new AbortController();
  const stop = new AbortController();
  let interrupted = false;
  let timer: NodeJS.Timeout | undefined;
  let work: Serving | undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    if (drain.signal.aborted) {
      log.say('notice', 'checkpointing what is in flight (again to leave at once)');
      stop.abort();
      return;
    }
    interrupted = signal === 'SIGINT';
    log.say('notice', 'ending: what has begun is finished (again to checkpoint it)');
    manager?.stopping();
    drain.abort();
    timer = setTimeout(() => stop.abort(), drainMs).unref();
  };
  const hangUp = (): void => {
    log.reopen?.();
    if (!work || drain.signal.aborted) return;
    const { reload } = work;
    void (manager ? manager.reloading(reload) : reload());
  };
  // Before anything slow: the first process of a container receives no signals without a handler.
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', hangUp);
  const manager = await openServiceManager(env, {
    rests: () => work?.rests() === true,
    complain: (message) => log.say('info', message),
  });
  return {
    drain: drain.signal,
    stop: stop.signal,
    get interrupted() {
      return interrupted;
    },
    serving: (serving) => {
      work = serving;
    },
    hear: (event) => manager?.hear(event),
    async close() {
      clearTimeout(timer);
      process.removeListener('SIGINT', end).removeListener('SIGTERM', end).removeListener('SIGHUP', hangUp);
      await manager?.close();
    },
  };
}
