import { EXIT } from './exit.js';
import type { Renderer } from './render/renderer.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interruption {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** Restores the default handling of the signals. */
  dispose(): void;
}

/** The first Ctrl-C (or SIGTERM, SIGHUP) stops the run in order, the second exits at once. */
export function onInterrupt(log: Renderer): Interruption {
  const stop = new AbortController();
  const listener = (): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    log.say('notice', 'stopping: finishing or checkpointing what is in flight (again to leave at once)');
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: stop.signal,
    dispose() {
      for (const signal of SIGNALS) process.removeListener(signal, listener);
    },
  };
}
