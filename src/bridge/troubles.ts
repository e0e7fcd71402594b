/** What holds up tickets, and whether anything still does. Tests: test/bridge/troubles.test.ts */
import type { ErrorClass } from '../model/error.js';

/** Of a run, of a request, or of one ticket. */
export interface TicketFault {
  code: string;
  class: ErrorClass;
  message: string;
}

/** @param message undefined: nothing holds up tickets any more */
export type TellTrouble = (message: string | undefined, fault?: TicketFault) => void;

/**
 * What a person decides about one object, or by starting an end with other options. The ticket is given up at once, so that
 * the person learns of it; `retry` sends it again.
 */
const DECIDED: readonly string[] = ['guard', 'untrusted-host', 'object-archived', 'usage'];

/**
 * Whether somebody can mend this while the ticket waits: a right, a credential, a disk that is full. The source refuses a URL
 * for want of a right, too.
 */
export function waitsForPerson({ code, class: kind }: Pick<TicketFault, 'code' | 'class'>): boolean {
  return code === 'refused-url' || (kind === 'person' && !DECIDED.includes(code));
}

/** Makes one voice of several parts of an end: it is well when all of them are. */
export function together(tell: TellTrouble): () => TellTrouble {
  const inTrouble = new Set<TellTrouble>();
  return () => {
    const part: TellTrouble = (message, fault) => {
      const was = inTrouble.delete(part);
      if (message !== undefined) inTrouble.add(part);
      if (message !== undefined || (was && inTrouble.size === 0)) tell(message, fault);
    };
    return part;
  };
}

/** Keys in memory; of what waits beyond them, only the first ones are awaited. */
const MOST = 1000;

export class Troubles {
  readonly #tell: TellTrouble;
  /** Keys of tickets that wait for a person. */
  readonly #blocked = new Set<string>();
  #code: string | undefined;
  #failures = 0;
  #told = false;

  constructor(tell: TellTrouble) {
    this.#tell = tell;
  }

  /** All tickets wait. @returns how many times in a row that had happened before */
  fail(message: string, fault: TicketFault): number {
    this.#say(message, fault);
    return this.#failures++;
  }

  /** Tickets can be handled again. */
  succeed(): void {
    this.#failures = 0;
    this.#maybeWell();
  }

  /** This ticket waits for a person. Of many, the first one is told. */
  block(key: string, fault: TicketFault): void {
    const known = this.#blocked.size > 0 && this.#code === fault.code;
    if (this.#blocked.size < MOST) this.#blocked.add(key);
    this.#code = fault.code;
    if (!known) this.#say(`${fault.message}; its ticket waits, and is tried again`, fault);
  }

  /** Of tickets that wait. */
  get blocked(): readonly string[] {
    return [...this.#blocked];
  }

  /** It was handled, or given up. */
  unblock(key: string): void {
    if (this.#blocked.delete(key)) this.#maybeWell();
  }

  #say(message: string, fault: TicketFault): void {
    this.#told = true;
    this.#tell(message, fault);
  }

  #maybeWell(): void {
    if (!this.#told || this.#failures > 0 || this.#blocked.size > 0) return;
    this.#told = false;
    this.#tell(undefined);
  }
}
