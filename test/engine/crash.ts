/** A process that dies at a chosen instant: nothing that it still wanted to do has an effect on stores or manifest. */
import type { Reporter } from '../../src/engine/events.js';
import type { RunOptions } from '../../src/engine/options.js';
import type { RunPair } from '../../src/engine/pair.js';
import { runPair } from '../../src/engine/run.js';
import type { Manifest } from '../../src/manifest/port.js';
import type { ObjectStore } from '../../src/store/port.js';
import { InterceptedStore } from '../../src/store/wrap/intercept.js';
import { OPTIONS, type Pair, wrapped } from './support.js';

const NEVER = new Promise<never>(() => undefined);

const WRITES = new Set<string | symbol>([
  'commit',
  'forget',
  'beginUpload',
  'addPart',
  'dropParts',
  'endUpload',
  'fail',
  'clearFailures',
  'doom',
  'clearDoomed',
  'setFact',
]);

/** Counts the instants before and after every call of a store and every write of the manifest. */
class Death {
  #left: number;
  #die = (): void => undefined;
  readonly came = new Promise<'died'>((resolve) => {
    this.#die = () => resolve('died');
  });

  constructor(instant: number) {
    this.#left = instant;
  }

  /** True from the chosen instant on. */
  strikes(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return false;
    }
    this.#die();
    return true;
  }

  store(store: ObjectStore): ObjectStore {
    return new InterceptedStore(store, async (call, run) => {
      if (this.strikes()) return NEVER;
      const result = await run(call.pace);
      return this.strikes() ? NEVER : result;
    });
  }

  manifest(manifest: Manifest): Manifest {
    return new Proxy(manifest, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (!WRITES.has(name)) return value.apply(target, args);
          if (this.strikes()) throw new Error('dead');
          const result: unknown = value.apply(target, args);
          if (this.strikes()) throw new Error('dead');
          return result;
        };
      },
    });
  }
}

/** Runs a copy that dies at the given instant. @returns false when it ended before */
export function copyAndDie(pair: Pair, instant: number, options: Partial<RunOptions> = {}): Promise<boolean> {
  return runAndDie(pair.open(), instant, options);
}

/** As `copyAndDie`; `listen` hears what the run told before it died. */
export async function runAndDie(
  open: RunPair,
  instant: number,
  options: Partial<RunOptions> = {},
  listen: Reporter = () => undefined,
): Promise<boolean> {
  const death = new Death(instant);
  const mortal: RunPair = {
    ...open,
    source: wrapped(open.source, (store) => death.store(store)),
    dest: wrapped(open.dest, (store) => death.store(store)),
    manifest: death.manifest(open.manifest),
    ...(open.reverse && { reverse: { ...open.reverse, manifest: death.manifest(open.reverse.manifest) } }),
  };
  const { backup } = options;
  const aside = backup && { ...backup, side: wrapped(backup.side, (store) => death.store(store)) };
  const settings = { ...OPTIONS, stop: new AbortController().signal, ...options, backup: aside };
  const run = runPair(mortal, settings, listen).catch(() => 'ended');
  return (await Promise.race([run, death.came])) === 'died';
}
