import type { Context } from './context.js';
import { EXIT } from './exit.js';

export interface Interruption {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** Does what the first signal does. */
  stop(): void;
  /** Restores the default handling of the signals. */
  dispose(): void;
}

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) stops the run in order, the second exits at once. SIGHUP means that the terminal
 * is gone: a run without one ignores it. So `nohup` works, although Node resets the signals that it told to ignore.
 */
export function onInterrupt({ io, log }: Pick<Context, 'io' | 'log'>): Interruption {
  const stop = new AbortController();
  const hasTerminal = [io.stdin, io.stdout, io.stderr].some((stream) => 'isTTY' in stream && stream.isTTY === true);
  const end = (): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    log.say('notice', 'stopping: finishing or checkpointing what is in flight (again to leave at once)');
    stop.abort();
  };
  const hangUp = hasTerminal ? end : (): void => log.reopen?.();
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', hangUp);
  return {
    signal: stop.signal,
    stop: () => stop.abort(),
    dispose() {
      process.removeListener('SIGINT', end).removeListener('SIGTERM', end).removeListener('SIGHUP', hangUp);
    },
  };
}
