/** Notifications as lines of JSON on standard output or appended to a file. */
import { closeSync, fstatSync, openSync, type Stats, statSync, writeSync } from 'node:fs';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { type ReplicationEvent, textOf } from './replication-event.js';
import type { Target, TargetCounts, Warn } from './target.js';

const CHECK_MS = 1000;

export class StandardOutput implements Target {
  readonly counts: TargetCounts = { kind: 'stdout', delivered: 0, dropped: 0, queued: 0 };
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  send(event: ReplicationEvent): void {
    this.#write(`${textOf(event)}\n`);
    this.counts.delivered++;
  }

  async close(): Promise<void> {}
}

/** Writes each line immediately, so that a kill loses none. Opens a new file when the file was moved by log rotation. */
export class EventFile implements Target {
  readonly counts: TargetCounts = { kind: 'file', delivered: 0, dropped: 0, queued: 0 };
  readonly #path: string;
  readonly #warn: Warn;
  readonly #now: () => number;
  #descriptor: number;
  #checkedMs: number;
  #lastError = '';

  /** @throws not-writable */
  constructor(path: string, warn: Warn, now: () => number = Date.now) {
    this.#path = path;
    this.#warn = warn;
    this.#now = now;
    this.#checkedMs = now();
    try {
      this.#descriptor = open(path);
    } catch (error) {
      throw new XsyncError('not-writable', `--notify: the file ${path} cannot be opened: ${reasonOf(error)}`, {
        subject: path,
        remedy: 'check its folder and permissions',
        cause: error,
      });
    }
  }

  send(event: ReplicationEvent): void {
    try {
      this.#follow();
      writeAll(this.#descriptor, Buffer.from(`${textOf(event)}\n`));
      this.counts.delivered++;
    } catch (error) {
      this.counts.dropped++;
      const why = reasonOf(error);
      if (why !== this.#lastError)
        this.#warn(`--notify: events are lost because ${this.#path} cannot be written: ${why}`);
      this.#lastError = why;
    }
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
    if (this.counts.dropped > 0)
      this.#warn(`--notify: ${this.counts.dropped} events were not written to ${this.#path}`);
  }

  /** Checks at most once a second whether the file was moved. */
  #follow(): void {
    const now = this.#now();
    if (now - this.#checkedMs < CHECK_MS) return;
    this.#checkedMs = now;
    const there: Stats | undefined = statSync(this.#path, { throwIfNoEntry: false });
    const ours = fstatSync(this.#descriptor);
    if (there?.ino === ours.ino && there.dev === ours.dev) return;
    const fresh = open(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = fresh;
  }
}

/** Readable by the owner alone: keys may be confidential. */
function open(path: string): number {
  return openSync(path, 'a', 0o600);
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
