import { FULL, isErrno, reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import type { Terminal } from './render/terminal.js';

/** Thrown when the reader of standard output has closed it, which is not an error to report. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Standard output for results. It may be a pipe that the reader closes, or a file on a full disk. */
export class Output {
  readonly #stream: Terminal;
  readonly #onFailure: ((message: string) => void)[] = [];
  #failure: Error | undefined;
  #posted = false;

  constructor(stream: Terminal) {
    this.#stream = stream;
    // Without a listener the first failed write would end the program with a stack trace.
    stream.on('error', (error: Error) => this.#fail(error));
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Called once, when a write fails, with what happened. */
  onFailure(listener: (message: string) => void): void {
    this.#onFailure.push(listener);
  }

  /**
   * Resolves when the data has been accepted, so that a slow reader slows down the command.
   * @throws OutputClosed; disk-full, not-writable
   */
  async write(data: string | Uint8Array): Promise<void> {
    if (data.length === 0) return;
    if (this.#failure === undefined) {
      const error = await new Promise<Error | null | undefined>((resolve) => this.#stream.write(data, resolve));
      if (error) this.#fail(error);
    }
    if (this.#failure !== undefined) throw translate(this.#failure);
  }

  /** Writes without waiting. The text is dropped after a write failed: see `settled`. */
  post(text: string): void {
    this.#posted = true;
    if (this.#failure === undefined) this.#stream.write(text);
  }

  /**
   * Waits for what was posted. A reader that closed the output has what it wanted.
   * @throws disk-full, not-writable when text was lost
   */
  async settled(): Promise<void> {
    if (!this.#posted) return;
    if (this.#failure === undefined) await new Promise((resolve) => this.#stream.write('', resolve));
    const error = this.#failure && translate(this.#failure);
    if (error && !(error instanceof OutputClosed)) throw error;
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const known = translate(error);
    const message = known instanceof OutputClosed ? 'standard output was closed' : known.message;
    for (const listener of this.#onFailure) listener(message);
  }
}

function translate(error: Error): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return new OutputClosed();
  return unwritten('standard output', undefined, undefined, error);
}

/** The error for an output of a command that cannot be written. @param what names the output in the message */
export function unwritten(
  what: string,
  subject: string | undefined,
  remedy: string | undefined,
  error: unknown,
): XsyncError {
  const code = isErrno(error, ...FULL) ? 'disk-full' : 'not-writable';
  return new XsyncError(code, `${what} cannot be written: ${reasonOf(error)}`, { subject, remedy, cause: error });
}
