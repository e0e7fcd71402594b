/**
 * What a signal ends. All requests of a run share one signal: a listener for each would make Node search a list of
 * hundreds of them at the end of every request. Tests: test/store/http/abort-hooks.test.ts
 */

const hooks = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `end` when the signal fires, unless it is unhooked before. The signal has not fired yet. */
export function hookAbort(signal: AbortSignal, end: () => void): void {
  let hooked = hooks.get(signal);
  if (!hooked) {
    const ends = new Set<() => void>();
    hooks.set(signal, ends);
    signal.addEventListener('abort', () => endAll(ends), { once: true });
    hooked = ends;
  }
  hooked.add(end);
}

export function unhookAbort(signal: AbortSignal, end: () => void): void {
  hooks.get(signal)?.delete(end);
}

function endAll(ends: Set<() => void>): void {
  for (const end of ends) {
    ends.delete(end);
    end();
  }
}
