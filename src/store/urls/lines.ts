/** What is known of the objects of a list. Tests: test/store/urls/list.test.ts */
import type { Checksums } from '../../model/checksum.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Spool } from '../../model/spool.js';
import type { Validator } from './answers.js';

/** One object of a list. */
export interface UrlLine {
  key: string;
  /** A secret: whoever has it can read the object. */
  url: string;
  /** Bytes. */
  size?: number;
  /** Without quotes. */
  etag?: string;
  checksums: Checksums;
  /** Last-Modified, ms since 1970. */
  mtimeMs?: number;
  /** Whoever made the URL has just looked at the object: a HEAD costs no request. */
  fresh?: true;
}

/** What the first response said of an object. */
export interface Seen extends Pick<ObjectEntry, 'size' | 'etag' | 'mtimeMs'> {
  checksums: Checksums;
  /** What the server must be asked for, so that no two versions mix. */
  validator?: Validator;
}

export interface UrlLines {
  get(key: string): UrlLine | undefined;
  /** In the order of the bytes of their keys. */
  page(after: string | undefined, limit: number): UrlLine[];
  seen(key: string): Seen | undefined;
  see(key: string, seen: Seen): void;
  dispose(): void;
}

/** On disk, so that a list may be longer than the memory. */
export class SpooledLines implements UrlLines {
  readonly #lines: Spool;
  readonly #seen: Spool;

  /** @param lines with those that `readUrlList` has added */
  constructor(lines: Spool, seen: Spool) {
    this.#lines = lines;
    this.#seen = seen;
  }

  get(key: string): UrlLine | undefined {
    const value = this.#lines.get(key);
    return value === undefined ? undefined : unspooled(key, value);
  }

  page(after: string | undefined, limit: number): UrlLine[] {
    return this.#lines.page(after, limit).map(({ key, value }) => unspooled(key, value));
  }

  seen(key: string): Seen | undefined {
    const value = this.#seen.get(key);
    return value === undefined ? undefined : JSON.parse(value);
  }

  /** Each part of an object says the same as the first one. */
  see(key: string, seen: Seen): void {
    const value = JSON.stringify(seen);
    if (this.#seen.get(key) !== value) this.#seen.add([{ key, value }]);
  }

  dispose(): void {
    this.#lines.dispose();
    this.#seen.dispose();
  }
}

export function spooledLine({ key, ...line }: UrlLine): { key: string; value: string } {
  return { key, value: JSON.stringify(line) };
}

function unspooled(key: string, value: string): UrlLine {
  return { key, ...(JSON.parse(value) as Omit<UrlLine, 'key'>) };
}

/** In memory: those that are at work. */
export class HeldLines implements UrlLines {
  readonly #lines = new Map<string, UrlLine>();
  readonly #seen = new Map<string, Seen>();

  set(line: UrlLine): void {
    this.delete(line.key);
    this.#lines.set(line.key, line);
  }

  /** With what was seen of it. */
  delete(key: string): void {
    this.#lines.delete(key);
    this.#seen.delete(key);
  }

  get(key: string): UrlLine | undefined {
    return this.#lines.get(key);
  }

  page(after: string | undefined, limit: number): UrlLine[] {
    return [...this.#lines.values()]
      .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
      .sort((a, b) => compareKeys(a.key, b.key))
      .slice(0, limit);
  }

  seen(key: string): Seen | undefined {
    return this.#seen.get(key);
  }

  see(key: string, seen: Seen): void {
    this.#seen.set(key, seen);
  }

  dispose(): void {
    this.#lines.clear();
    this.#seen.clear();
  }
}
