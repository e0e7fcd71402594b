/**
 * A command that runs for ever, as a service: what signals mean to it, and what it tells a service manager.
 */
import type { RunEvent } from '../engine/events.js';
import type { Io } from './context.js';
import { EXIT } from './exit.js';
import type { Renderer } from './render/renderer.js';
import { openServiceManager } from './service-manager.js';

/** What has begun may take so long to end after SIGTERM; then it is checkpointed. Kubernetes waits 30 s by default. */
const DRAIN_MS = 20_000;

/** What the service does, as far as signals and a service manager ask for it. Undefined as long as nothing runs. */
export interface Serving {
  /** The configuration is to be read again. */
  reload(): Promise<void>;
  /** It waits for a time that has not come. */
  rests(): boolean;
}

export interface Service {
  /** Raised when nothing more is to begin. */
  drain: AbortSignal;
  /** Raised when what is in flight is to be checkpointed. */
  stop: AbortSignal;
  /** A person asked for the end, not a service manager. */
  readonly interrupted: boolean;
  /** From now on signals reach it. */
  serving(work: Serving): void;
  hear(event: RunEvent): void;
  close(): Promise<void>;
}

export async function serve({ env }: Io, log: Renderer): Promise<Service> {
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
    timer = setTimeout(() => stop.abort(), DRAIN_MS).unref();
  };
  const hangUp = (): void => {
    if (!work || drain.signal.aborted) return;
    const { reload } = work;
    void (manager ? manager.reloading(reload) : reload());
  };
  // Before anything that takes time: the first process of a container would not even hear of signals otherwise.
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
