/**
 * Bytes of a source that several pairs want: whoever asks first fetches them, and the others get copies. What somebody
 * may still want is held, as far as the memory goes. Whoever comes later than that reads by itself, so that nobody waits
 * for it. Each object is named by its version or ETag, so that bytes of two versions never mix.
 * Tests: test/engine/fan/reads.test.ts
 */
import type { ObjectInfo } from '../../model/object.js';
import type { ReadOptions } from '../../store/port.js';
import { whileWanted } from './wanted.js';

/** A run that reads. */
export interface Wanting {
  /**
   * Whether it may still read the object.
   * @param foundMs when the listing began in which the object was found, as `performance.now()`
   */
  mayWant(key: string, foundMs: number): boolean;
  /** What was held for it was dropped: what it wants is held only where there is room. */
  behind: boolean;
  /** When what it lists was listed, as `performance.now()`. */
  readonly foundMs: number;
  /** Got bytes that somebody else had read. */
  shared(bytes: number): void;
}

export interface HoldMemory {
  /** Bytes, at most. */
  readonly most: number;
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export interface Wish {
  key: string;
  target: Uint8Array;
  options: ReadOptions;
}

/** Somebody has read it, or is reading it. */
interface Found {
  foundMs: number;
  /** Those that have had it. If they ask again, they doubt it. */
  served: Set<Wanting>;
}

interface Flight extends Found {
  /** @returns what became of it; the bytes are in the target unless it failed or was given up */
  arrived: Promise<ObjectInfo | 'failed' | 'given-up'>;
  targets: Set<Uint8Array>;
}

interface Held extends Found {
  key: string;
  /** Absent: it is bound to its version. */
  ifMatch?: string;
  bytes: Uint8Array;
  info: ObjectInfo;
}

/** What a small object takes beside its bytes: its name, its attributes, and who has had it. */
const EACH = 1024;

export class SharedReads {
  readonly #memory: HoldMemory;
  readonly #wanting: () => Iterable<Wanting>;
  readonly #flights = new Map<string, Flight>();
  /** The oldest first. */
  readonly #held = new Map<string, Held>();
  /** The same by key. */
  readonly #ofKey = new Map<string, Set<string>>();

  /** @param wanting all that may want something */
  constructor(memory: HoldMemory, wanting: () => Iterable<Wanting>) {
    this.#memory = memory;
    this.#wanting = wanting;
  }

  /**
   * As `ObjectBytes.read`.
   * @param alone reads it from the store. @throws as `alone`; aborted
   */
  async read(reader: Wanting, wish: Wish, alone: () => Promise<ObjectInfo>): Promise<ObjectInfo> {
    const id = idOf(wish);
    while (id !== undefined) {
      const held = this.#held.get(id);
      if (held && !held.served.has(reader)) return this.#give(reader, id, held, wish);
      const flight = this.#flights.get(id);
      // What it had, and doubts, it reads by itself.
      if (held || flight?.served.has(reader)) break;
      if (!flight) return this.#fetch(reader, id, wish, alone);
      const outcome = await this.#board(reader, flight, wish);
      if (outcome === 'failed') break;
      if (outcome !== 'given-up') return outcome;
    }
    return alone();
  }

  /** Drops what nobody wants any more. @param key only of this object */
  review(key?: string): void {
    for (const [id, held] of key === undefined ? this.#held : this.#heldOf(key)) {
      if (this.#wanters(held).length === 0) this.#drop(id, held);
    }
  }

  /** Gives back as much memory, if it has so much. */
  yield(bytes: number): void {
    let left = bytes;
    for (const [id, held] of this.#held) {
      if (left <= 0) return;
      left -= sizeOf(held);
      this.#leaveBehind(id, held);
    }
  }

  async #give(reader: Wanting, id: string, held: Held, { target, options }: Wish): Promise<ObjectInfo> {
    target.set(held.bytes);
    held.served.add(reader);
    if (this.#wanters(held).length === 0) this.#drop(id, held);
    reader.shared(target.byteLength);
    await options.pace?.(target.byteLength);
    return held.info;
  }

  async #board(
    reader: Wanting,
    flight: Flight,
    { target, options }: Wish,
  ): Promise<ObjectInfo | 'failed' | 'given-up'> {
    flight.served.add(reader);
    flight.targets.add(target);
    try {
      const outcome = await whileWanted(flight.arrived, options.signal);
      if (typeof outcome === 'string') return outcome;
      reader.shared(target.byteLength);
      await options.pace?.(target.byteLength);
      return outcome;
    } finally {
      flight.targets.delete(target);
    }
  }

  async #fetch(
    reader: Wanting,
    id: string,
    { key, target, options }: Wish,
    alone: () => Promise<ObjectInfo>,
  ): Promise<ObjectInfo> {
    const { promise, resolve } = withResolvers<ObjectInfo | 'failed' | 'given-up'>();
    const flight: Flight = { foundMs: reader.foundMs, served: new Set([reader]), targets: new Set(), arrived: promise };
    this.#flights.set(id, flight);
    try {
      const info = await alone();
      this.#replace(key, options);
      for (const other of flight.targets) other.set(target);
      const ifMatch = options.versionId ? undefined : options.ifMatch;
      this.#hold(id, { key, ifMatch, bytes: target, info, served: flight.served, foundMs: reader.foundMs });
      resolve(info);
      return info;
    } catch (error) {
      resolve(options.signal?.aborted ? 'given-up' : 'failed');
      throw error;
    } finally {
      this.#flights.delete(id);
    }
  }

  /** Keeps a copy for those that may still want it, where there is room for it. */
  #hold(id: string, found: Held): void {
    const wanters = this.#wanters(found);
    if (wanters.length === 0) return;
    if (!this.#makeRoom(sizeOf(found), wanters)) return;
    // `slice` of a Buffer is no copy.
    this.#held.set(id, { ...found, bytes: new Uint8Array(found.bytes) });
    const ids = this.#ofKey.get(found.key) ?? new Set();
    this.#ofKey.set(found.key, ids.add(id));
  }

  /** What was held is older than what has just been read: who found the older one must ask the store whether it is there. */
  #replace(key: string, { versionId, ifMatch }: ReadOptions): void {
    if (versionId) return;
    for (const [id, held] of this.#heldOf(key))
      if (held.ifMatch !== undefined && held.ifMatch !== ifMatch) this.#drop(id, held);
  }

  *#heldOf(key: string): Iterable<[string, Held]> {
    for (const id of this.#ofKey.get(key) ?? []) {
      const held = this.#held.get(id);
      if (held) yield [id, held];
    }
  }

  /** For those that keep pace, by dropping what is held for those that do not, and then what is oldest. */
  #makeRoom(size: number, wanters: readonly Wanting[]): boolean {
    if (this.#memory.take(size)) return true;
    if (size > this.#memory.most || wanters.every(({ behind }) => behind)) return false;
    for (const late of [true, false]) {
      for (const [id, held] of this.#held) {
        if (late && this.#wanters(held).some(({ behind }) => !behind)) continue;
        this.#leaveBehind(id, held);
        if (this.#memory.take(size)) return true;
      }
    }
    return false;
  }

  #leaveBehind(id: string, held: Held): void {
    for (const wanter of this.#wanters(held)) wanter.behind = true;
    this.#drop(id, held);
  }

  #drop(id: string, held: Held): void {
    if (!this.#held.delete(id)) return;
    const ids = this.#ofKey.get(held.key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ofKey.delete(held.key);
    this.#memory.give(sizeOf(held));
  }

  #wanters({ key, served, foundMs }: Pick<Held, 'key' | 'served' | 'foundMs'>): Wanting[] {
    return [...this.#wanting()].filter((wanting) => !served.has(wanting) && wanting.mayWant(key, foundMs));
  }
}

/** Undefined if it may be any version. */
function idOf({ key, target, options: { versionId = '', ifMatch = '', offset = 0 } }: Wish): string | undefined {
  if (versionId === '' && ifMatch === '') return undefined;
  return `${offset} ${target.byteLength} ${versionId}\n${ifMatch}\n${key}`;
}

/** Of memory, in bytes. */
function sizeOf({ bytes }: Pick<Held, 'bytes'>): number {
  return bytes.byteLength + EACH;
}

function withResolvers<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
