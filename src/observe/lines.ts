/** Notifications as lines of JSON on standard output or appended to a file. Tests: test/observe/targets.test.ts */
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { AppendedFile } from './appended-file.js';
import { type ReplicationEvent, textOf } from './replication-event.js';
import type { Target, TargetCounts, Warn } from './target.js';

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

/** Survives log rotation. Events that cannot be written are counted, and each new reason is reported once. */
export class EventFile implements Target {
  readonly counts: TargetCounts = { kind: 'file', delivered: 0, dropped: 0, queued: 0 };
  readonly #path: string;
  readonly #warn: Warn;
  readonly #file: AppendedFile;
  #lastError = '';

  /** @throws not-writable */
  constructor(path: string, warn: Warn, now?: () => number) {
    this.#path = path;
    this.#warn = warn;
    try {
      this.#file = new AppendedFile(path, now);
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
      this.#file.write(`${textOf(event)}\n`);
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
    this.#file.close();
    if (this.counts.dropped > 0)
      this.#warn(`--notify: ${this.counts.dropped} events were not written to ${this.#path}`);
  }
}
