/** Which objects wait too long. What is planned and not copied is as much as the queues of a run hold. */

export interface Late {
  key: string;
  size: number;
  sourceMtimeMs: number;
}

/** Versions that were told and may come again with each run until they are copied; the oldest are forgotten. */
const REMEMBERED = 10_000;

export class Threshold {
  readonly ms: number;
  readonly #pending = new Map<string, Late>();
  /** Told, by key and version. */
  readonly #told = new Set<string>();

  constructor(ms: number) {
    this.ms = ms;
  }

  wait(object: Late): void {
    this.#pending.set(object.key, object);
  }

  /** Copied, or failed: it is not waited for any more. */
  over(key: string): void {
    this.#pending.delete(key);
  }

  /** What a run did not come to is for the next one. */
  clear(): void {
    this.#pending.clear();
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** What has waited longer than it should; each version once. */
  takeLate(nowMs: number): Late[] {
    return [...this.#pending.values()].filter((object) => {
      if (nowMs - object.sourceMtimeMs <= this.ms) return false;
      this.#pending.delete(object.key);
      return this.#tell(object);
    });
  }

  #tell({ key, sourceMtimeMs }: Late): boolean {
    const version = `${sourceMtimeMs} ${key}`;
    if (this.#told.has(version)) return false;
    this.#told.add(version);
    const [oldest] = this.#told;
    if (this.#told.size > REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    return true;
  }
}
