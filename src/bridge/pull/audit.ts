/** The audit log: a JSON object a line, for everything that was accepted or refused. Tests: test/bridge/pull/audit.test.ts */
import { closeSync, openSync, writeSync } from 'node:fs';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';

/** Never a URL. */
export type AuditEntry = Record<string, string | number | undefined>;

/** Refusals that are written in one second: whoever can reach the port must not fill the disk. */
const MOST_REFUSALS = 20;

export class Audit {
  readonly #file: number | undefined;
  readonly #say: (text: string) => void;
  #failed = false;
  #second = 0;
  #refusals = 0;

  /**
   * @param file absent: refusals alone are told
   * @param say tells a refusal to the person
   * @throws not-writable
   */
  constructor(file: string | undefined, say: (text: string) => void) {
    this.#say = say;
    try {
      this.#file = file === undefined ? undefined : openSync(file, 'a', 0o600);
    } catch (cause) {
      throw new XsyncError('not-writable', `the audit log ${file} cannot be written: ${reasonOf(cause)}`, {
        subject: file,
        cause,
      });
    }
  }

  note(entry: AuditEntry): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
      this.#failed = false;
    } catch (error) {
      // A disk that is full must not end the service, which anybody who is refused could do then.
      if (!this.#failed) this.#say(`the audit log cannot be written: ${reasonOf(error)}`);
      this.#failed = true;
    }
  }

  refuse(entry: AuditEntry): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) this.#refusals = 0;
    this.#second = second;
    this.#refusals++;
    if (this.#refusals > MOST_REFUSALS) return;
    const last = this.#refusals === MOST_REFUSALS ? '; more in this second are not told' : '';
    this.note({ ...entry, ...(last !== '' && { note: last.slice(2) }) });
    const about = [entry.from && `from ${entry.from}`, entry.key && JSON.stringify(entry.key)].filter(Boolean);
    this.#say(`refused ${about.join(' ') || 'a request'}: ${entry.message}${last}`);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
