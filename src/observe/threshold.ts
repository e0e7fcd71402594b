/** An object that waits for its copy. Tests: test/observe/notifier.test.ts */
export interface Late {
  key: string;
  size: number;
  sourceMtimeMs: number;
}

/** Reported versions, which each run may plan again until they are copied. Beyond this, the oldest are forgotten. */
const REMEMBERED = 10_000;

/** Finds objects that wait too long. Holds no more of them than the queues of the runs do. */
export class Threshold {
  readonly ms: number;
  readonly #pending = new Map<string, Late>();
  /** Reported, by key and version. */
  readonly #reported = new Set<string>();

  constructor(ms: number) {
    this.ms = ms;
  }

  wait(object: Late): void {
    this.#pending.set(object.key, object);
  }

  /** The object was copied or failed. */
  over(key: string): void {
    this.#pending.delete(key);
  }

  /** The next run plans again what the last one left. */
  clear(): void {
    this.#pending.clear();
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Objects that have waited longer than `ms`, each version once. */
  takeLate(nowMs: number): Late[] {
    return [...this.#pending.values()].filter((object) => {
      if (nowMs - object.sourceMtimeMs <= this.ms) return false;
      this.#pending.delete(object.key);
      return this.#isNew(object);
    });
  }

  #isNew({ key, sourceMtimeMs }: Late): boolean {
    const version = `${sourceMtimeMs} ${key}`;
    if (this.#reported.has(version)) return false;
    this.#reported.add(version);
    const [oldest] = this.#reported;
    if (this.#reported.size > REMEMBERED && oldest !== undefined) this.#reported.delete(oldest);
    return true;
  }
}
