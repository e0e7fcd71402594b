/**
 * The slots of a run in a worker. The main thread grants them, and hears what the parts do, for its tuner.
 * Tests: test/engine/workers/workers.test.ts
 */
import { Races } from '../transfer/race.js';
import type { PartSlots } from '../transfer/slots.js';
import type { Moving } from '../tune/flow.js';
import type { Report } from './messages.js';

export class FarSlots {
  /** Idle slots for parts, as the main thread knew them last. */
  spare = 0;
  readonly #run: number;
  readonly #tell: (report: Report) => void;
  readonly #races = new Races(() => performance.now());
  readonly #waiting = new Map<number, () => void>();
  #slots = 0;
  #objects = 0;
  #parts = 0;

  constructor(run: number, tell: (report: Report) => void) {
    this.#run = run;
    this.#tell = tell;
  }

  grant(slot: number): void {
    this.#waiting.get(slot)?.();
    this.#waiting.delete(slot);
  }

  /** The slots of one ticket. */
  of(id: number): PartSlots {
    const spare = (): number => this.spare;
    return {
      partFlow: { begin: (size) => this.#begin(size) },
      races: this.#races,
      get spare() {
        return spare();
      },
      ofObject: () => this.#ofObject(id, this.#objects++),
    };
  }

  #ofObject(id: number, object: number): ReturnType<PartSlots['ofObject']> {
    const run = this.#run;
    return async (task) => {
      const slot = this.#slots++;
      await new Promise<void>((granted) => {
        this.#waiting.set(slot, granted);
        this.#tell({ type: 'wants-slot', run, id, object, slot });
      });
      try {
        return await task();
      } finally {
        this.#tell({ type: 'frees-slot', run, slot });
      }
    };
  }

  #begin(size: number): Moving {
    const run = this.#run;
    const part = this.#parts++;
    this.#tell({ type: 'moving', run, part, size });
    return {
      read: (read) => {
        this.#tell({ type: 'moved', run, part, read, written: 0 });
        return undefined;
      },
      turn: () => this.#tell({ type: 'turned', run, part }),
      wrote: (written) => this.#tell({ type: 'moved', run, part, read: 0, written }),
      end: () => this.#tell({ type: 'arrived', run, part }),
    };
  }
}
