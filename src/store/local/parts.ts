/**
 * Storage of the parts of an upload. The engine sends all parts but the last in one size, so a part is written directly
 * to its offset in the final file, and completion copies nothing. Other sizes work too:
 *
 * - Part 1, which is sent first, sets the size. Part n goes to offset (n - 1) × size of `data` if it fits.
 * - A part that comes before the size is known, or is larger, goes to a separate file (`part.<n>`).
 * - Completion copies separate parts into `data`, or writes a new file if the sizes were uneven.
 *
 * Every call names the upload's folder, because the path to it may change (see directories.ts).
 *
 * Each acknowledged part has a line in `parts.jsonl` with its MD5. After a power loss a line may exist for bytes that
 * never reached the disk, so the parts of an earlier run are hashed before they are used.
 * Tests: test/store/local/uploads.test.ts
 */
import { createHash } from 'node:crypto';
import { appendFile, open, readFile } from 'node:fs/promises';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { Calls } from './calls.js';
import { copyRange, readPieces } from './files.js';

export interface Part {
  partNumber: number;
  size: number;
  md5: string;
  /** Offset in `data`, or null for a separate file. */
  at: number | null;
}

export class Parts {
  readonly #calls: Calls;
  readonly #held = new Map<number, Part>();
  /** Parts whose bytes this process has written or hashed. */
  readonly #sure = new Set<Part>();
  #partSize: number | undefined;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Loads the records of an earlier run, or another process. A truncated last line is a part that was not acknowledged. */
  async load(directory: string): Promise<void> {
    const text = (await unlessErrno(ABSENT, readFile(`${directory}/parts.jsonl`, 'utf8'))) ?? '';
    const latest = new Map<number, Part>();
    for (const line of text.split('\n')) {
      const part = parse(line);
      if (part) latest.set(part.partNumber, part);
    }
    for (const part of latest.values()) {
      const { partNumber, size, md5, at } = part;
      const held = this.#held.get(partNumber);
      // Its bytes need no second look.
      if (held?.size !== size || held.md5 !== md5 || held.at !== at) this.#held.set(partNumber, part);
      if (part.at !== null && part.partNumber > 1) this.#partSize = part.at / (part.partNumber - 1);
    }
    const first = this.#held.get(1);
    if (first && first.at !== null) this.#partSize ??= first.size;
  }

  /** Chooses where a part goes, and forgets the part it replaces. Must be called in the order of sending. */
  place(directory: string, partNumber: number, size: number): { path: string; at: number | null } {
    this.#held.delete(partNumber);
    if (partNumber === 1) this.#partSize ??= size;
    const fits = this.#partSize !== undefined && size <= this.#partSize;
    const at = fits ? (partNumber - 1) * (this.#partSize ?? 0) : null;
    return { at, path: pathOf(directory, { partNumber, at }) };
  }

  async add(directory: string, part: Part): Promise<void> {
    // The leading line break separates the record from a truncated one before it.
    await appendFile(`${directory}/parts.jsonl`, `\n${JSON.stringify(part)}\n`);
    this.#held.set(part.partNumber, part);
    this.#sure.add(part);
  }

  /** The parts whose bytes on disk match their MD5, ascending. */
  async verified(directory: string, signal?: AbortSignal): Promise<Part[]> {
    await this.load(directory);
    for (const part of [...this.#held.values()]) {
      if (await this.#isIntact(directory, part, signal)) this.#sure.add(part);
      else if (this.#held.get(part.partNumber) === part) this.#held.delete(part.partNumber);
    }
    return [...this.#held.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  /** The parts that a completion names. @throws precondition-failed */
  async choose(
    directory: string,
    named: readonly { partNumber: number; etag: string }[],
    signal?: AbortSignal,
  ): Promise<Part[]> {
    const fail = (why: string) => new XsyncError('precondition-failed', why);
    if (named.length === 0) throw fail('an upload cannot be completed without parts');
    const isHeld = named.every(({ partNumber, etag }) => this.#held.get(partNumber)?.md5 === etag.toLowerCase());
    // Another process may have written parts.
    if (!isHeld) await this.load(directory);
    const chosen: Part[] = [];
    for (const { partNumber, etag } of named) {
      const part = this.#held.get(partNumber);
      if (part?.md5 !== etag.toLowerCase()) throw fail(`there is no part ${partNumber} with the given ETag`);
      if (partNumber <= (chosen.at(-1)?.partNumber ?? 0)) throw fail('parts must be named in ascending order');
      if (!this.#sure.has(part) && !(await this.#isIntact(directory, part, signal))) {
        this.#held.delete(partNumber);
        throw fail(`the bytes of part ${partNumber} on disk have changed`);
      }
      chosen.push(part);
    }
    return chosen;
  }

  /** Combines the chosen parts in one file. @returns its path */
  async assemble(directory: string, chosen: readonly Part[], signal?: AbortSignal): Promise<string> {
    let size = 0;
    const targets = chosen.map((part) => {
      const to = size;
      size += part.size;
      return { part, to };
    });
    const inPlace = targets.every(({ part, to }) => part.at === null || part.at === to || part.size === 0);
    const path = inPlace ? dataOf(directory) : `${directory}/whole`;
    const whole = await open(path, inPlace ? 'r+' : 'w');
    try {
      for (const { part, to } of targets) {
        if (inPlace && part.at !== null) continue;
        const file = await open(pathOf(directory, part), 'r');
        try {
          const from = { file: { calls: this.#calls, fd: file.fd }, position: part.at ?? 0, size: part.size };
          await copyRange(from, { calls: this.#calls, fd: whole.fd, position: to }, signal);
        } finally {
          await file.close();
        }
      }
      await whole.truncate(size);
    } finally {
      await whole.close();
    }
    return path;
  }

  async #isIntact(directory: string, part: Part, signal: AbortSignal | undefined): Promise<boolean> {
    const file = await unlessErrno(ABSENT, open(pathOf(directory, part), 'r'));
    if (!file) return false;
    try {
      const hash = createHash('md5');
      const range = { position: part.at ?? 0, size: part.size };
      const opened = { calls: this.#calls, fd: file.fd };
      const whole = await readPieces(opened, range, signal, (piece) => void hash.update(piece));
      return whole && hash.digest('hex') === part.md5;
    } finally {
      await file.close();
    }
  }
}

/** The file of the parts that are in their places. */
export function dataOf(directory: string): string {
  return `${directory}/data`;
}

function pathOf(directory: string, { partNumber, at }: Pick<Part, 'partNumber' | 'at'>): string {
  return at === null ? `${directory}/part.${partNumber}` : dataOf(directory);
}

function parse(line: string): Part | undefined {
  try {
    const { partNumber, size, md5, at }: Partial<Part> = JSON.parse(line);
    if (partNumber === undefined || size === undefined || md5 === undefined || at === undefined) return undefined;
    return { partNumber, size, md5, at };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
