/** --interactive: asks before each copy and each delete, with rclone's answers. Tests: test/cli/questions.test.ts */
import { createInterface, type Interface } from 'node:readline';
import type { RunOptions } from '../engine/options.js';
import type { Io } from './context.js';
import { keyText } from './render/printable.js';

type Confirm = NonNullable<RunOptions['confirm']>;
type Action = Parameters<Confirm>[0];

const HELP = `y) yes (default)
n) no, skip this
s) skip all of this kind
!) do all of this kind
q) quit`;

export class Questions {
  readonly #io: Pick<Io, 'stdin' | 'stderr'>;
  readonly #quit: () => void;
  readonly #settled = new Map<Action, boolean>();
  #lines: AsyncIterator<string> | undefined;
  #reader: Interface | undefined;
  #over = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param quit called once, for the answer `q` and at the end of the input */
  constructor(io: Pick<Io, 'stdin' | 'stderr'>, quit: () => void) {
    this.#io = io;
    this.#quit = quit;
  }

  /** One question at a time. */
  readonly confirm: Confirm = (action, key) => {
    const answer = this.#last.then(() => this.#ask(action, key));
    this.#last = answer;
    return answer;
  };

  close(): void {
    this.#reader?.close();
  }

  async #ask(action: Action, key: string): Promise<boolean> {
    if (this.#over) return false;
    const settled = this.#settled.get(action);
    if (settled !== undefined) return settled;
    this.#io.stderr.write(`${action} ${keyText(key)}?\n${HELP}\n`);
    for (;;) {
      this.#io.stderr.write('y/n/s/!/q> ');
      const line = await this.#nextLine();
      switch (line?.trim().toLowerCase()) {
        case '':
        case 'y':
          return true;
        case 'n':
          return false;
        case 's':
        case '!':
          this.#settled.set(action, line.trim() === '!');
          return line.trim() === '!';
        case 'q':
        case undefined:
          this.#over = true;
          this.#quit();
          return false;
      }
    }
  }

  /** Undefined at the end of the input. */
  async #nextLine(): Promise<string | undefined> {
    this.#reader ??= createInterface({ input: this.#io.stdin });
    this.#lines ??= this.#reader[Symbol.asyncIterator]();
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }
}
