/**
 * A command that runs for ever, as a service: what signals mean to it, and what it tells a service manager.
 */
import type { RunEvent } from '../engine/events.js';
import type { Io } from './context.js';
import { EXIT } from './exit.js';
import type { Renderer } from './render/renderer.js';

/** What has begun may take so long to end after SIGTERM; then it is checkpointed. Kubernetes waits 30 s by default. */
const DRAIN_MS = 20_000;

export interface Service {
  /** Raised when nothing more is to begin. */
  drain: AbortSignal;
  /** Raised when what is in flight is to be checkpointed. */
  stop: AbortSignal;
  /** A person asked for the end, not a service manager. */
  readonly interrupted: boolean;
  onReload(listener: () => void): void;
  hear(event: RunEvent): void;
  dispose(): void;
}

export async function serve(_io: Io, log: Renderer): Promise<Service> {
  const drain = new AbortController();
  const stop = new AbortController();
  let interrupted = false;
  let timer: NodeJS.Timeout | undefined;
  let reload = (): void => undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    if (drain.signal.aborted) {
      log.say('notice', 'checkpointing what is in flight (again to leave at once)');
      stop.abort();
      return;
    }
    interrupted = signal === 'SIGINT';
    log.say('notice', 'ending: what has begun is finished (again to checkpoint it)');
    drain.abort();
    timer = setTimeout(() => stop.abort(), DRAIN_MS).unref();
  };
  const hangUp = (): void => reload();
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', hangUp);
  return {
    drain: drain.signal,
    stop: stop.signal,
    get interrupted() {
      return interrupted;
    },
    onReload(listener) {
      reload = listener;
    },
    hear: () => undefined,
    dispose() {
      clearTimeout(timer);
      process.removeListener('SIGINT', end).removeListener('SIGTERM', end).removeListener('SIGHUP', hangUp);
    },
  };
}
