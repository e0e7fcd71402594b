/** A file of lines that log rotation may move away at any time. Tests: test/observe/targets.test.ts */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';

const CHECK_MS = 1000;

/** Writes each line immediately, so that a kill loses none. Opens a new file when the file was moved. */
export class AppendedFile {
  readonly #path: string;
  readonly #now: () => number;
  #descriptor: number;
  #checkedMs: number;
  /** A full disk cut the last line short. */
  #cut = false;

  /** @throws the errors of `openSync` */
  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
    this.#checkedMs = now();
    this.#descriptor = open(path);
  }

  /** @throws the errors of `openSync` and `writeSync`; the next call tries again */
  write(lines: string): void {
    if (this.#now() - this.#checkedMs >= CHECK_MS) this.follow();
    const bytes = Buffer.from(this.#cut ? `\n${lines}` : lines);
    for (let at = 0; at < bytes.length; this.#cut = at < bytes.length) at += writeSync(this.#descriptor, bytes, at);
  }

  /** Opens the path again unless it still is the open file. @throws the errors of `openSync` */
  follow(): void {
    this.#checkedMs = this.#now();
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const ours = fstatSync(this.#descriptor);
    if (there?.ino === ours.ino && there.dev === ours.dev) return;
    const fresh = open(this.#path);
    this.#cut = false;
    closeSync(this.#descriptor);
    this.#descriptor = fresh;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Readable by the owner alone: keys may be confidential. */
function open(path: string): number {
  return openSync(path, 'a', 0o600);
}
