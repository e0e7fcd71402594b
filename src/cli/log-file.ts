/** The file of `--log-file`. */
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { AppendedFile } from '../observe/appended-file.js';

/**
 * Survives log rotation. A file that cannot be written (a full disk) ends nothing: `complain` receives the reason once,
 * and the number of lost lines when writing works again.
 */
export class LogFile {
  readonly #name: string;
  readonly #complain: (message: string) => void;
  readonly #file: AppendedFile;
  #lost = 0;

  /** @throws not-writable */
  constructor(name: string, complain: (message: string) => void) {
    this.#name = name;
    this.#complain = complain;
    try {
      this.#file = new AppendedFile(name);
    } catch (error) {
      throw new XsyncError('not-writable', `the log file ${name} cannot be opened: ${reasonOf(error)}`, {
        subject: name,
        remedy: 'check --log-file, its folder and permissions',
        cause: error,
      });
    }
  }

  write(text: string): void {
    this.#try(() => this.#file.write(text), text.split('\n').length - 1);
  }

  /** Opens the file again if it was moved away. */
  reopen(): void {
    this.#try(() => this.#file.follow(), 0);
  }

  close(): void {
    this.#file.close();
    if (this.#lost > 0) this.#complain(`--log-file: ${this.#lost} lines were not written to ${this.#name}`);
  }

  #try(act: () => void, lines: number): void {
    try {
      act();
    } catch (error) {
      if (this.#lost === 0) {
        const remedy = 'free space or check its folder; xsync continues without it';
        this.#complain(`--log-file: ${this.#name} cannot be written: ${reasonOf(error)} — ${remedy}`);
      }
      this.#lost += Math.max(lines, 1);
      return;
    }
    if (this.#lost === 0 || lines === 0) return;
    this.#complain(`--log-file: ${this.#name} is written again; ${this.#lost} lines are missing`);
    this.#lost = 0;
  }
}
