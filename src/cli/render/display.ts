/**
 * The display of a run on a terminal: bars at the bottom, redrawn at most twice a second, and log lines above them. The
 * summary replaces the bars at the end.
 */
import type { ChalkInstance } from 'chalk';
import { MultiBar } from 'cli-progress';
import type { Reporter } from '../../engine/events.js';
import { bytesLine, objectLine, objectsLine } from './bars.js';
import type { Renderer } from './renderer.js';
import { Tally } from './tally.js';
import { type Terminal, terminalWidth } from './terminal.js';
import { wrap } from './width.js';
import { writeLines } from './wrapped.js';

const REDRAWS_PER_SECOND = 2;
const OBJECT_ROWS = 4;
/** Milliseconds between two prints of the bars without a terminal (`--progress`), where nothing can be redrawn. */
const PIPED_MS = 2000;

export class Display {
  readonly #terminal: Terminal;
  readonly #chalk: ChalkInstance;
  readonly #oneLine: boolean;
  readonly #tally: Tally;
  readonly #restore = () => this.close();
  /** Set from the run's start, so that earlier errors appear on a clean screen, until `close`. */
  #bars: MultiBar | undefined;

  /** `oneLine`: show only the totals in bytes. */
  constructor(terminal: Terminal, chalk: ChalkInstance, now: () => number, oneLine = false) {
    this.#terminal = terminal;
    this.#chalk = chalk;
    this.#oneLine = oneLine;
    this.#tally = new Tally(now);
  }

  #draw(): void {
    const terminal = this.#terminal;
    const bars = new MultiBar({
      stream: terminal,
      fps: REDRAWS_PER_SECOND,
      clearOnComplete: true,
      // Lines printed above the bars move them down, so unchanged bars must be redrawn too.
      forceRedraw: true,
      emptyOnZero: true,
      noTTYOutput: terminal.isTTY !== true,
      notTTYSchedule: PIPED_MS,
      format: '',
    });
    this.#row(bars, (style) => bytesLine(this.#tally.status(), style));
    if (!this.#oneLine) this.#objectRows(bars);
    this.#bars = bars;
    // cli-progress turns the terminal's line wrapping off; it must be on again however the program ends.
    process.once('exit', this.#restore);
  }

  #objectRows(bars: MultiBar): void {
    this.#row(bars, (style) => objectsLine(this.#tally.status(), style));
    // In a low window the objects would push the totals off the screen.
    const rows = Math.min(OBJECT_ROWS, Math.max(0, (this.#terminal.rows ?? 24) - 4));
    for (let index = 0; index < rows; index++) {
      this.#row(bars, (style) => {
        const object = this.#tally.inFlight(rows)[index];
        return object === undefined ? '' : objectLine(object, style);
      });
    }
  }

  readonly report: Reporter = (event) => {
    this.#tally.hear(event);
    if (event.type === 'start') this.#draw();
  };

  /** Prints lines above the bars, if there are any. */
  print(text: string): void {
    if (!this.#bars) {
      writeLines(this.#terminal, text);
      return;
    }
    const width = terminalWidth(this.#terminal);
    for (const line of text.replace(/\n$/, '').split('\n')) {
      // Wrapped here because the terminal's wrapping is off. `\x1b[K` clears what a bar left in the row.
      for (const piece of wrap(line, width, '  ')) this.#bars.log(`${piece}\x1b[K\n`);
    }
  }

  /** Prints pending lines and removes the bars. Idempotent. */
  close(): void {
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
    process.removeListener('exit', this.#restore);
  }

  #row(bars: MultiBar, line: (style: { chalk: ChalkInstance; width: number }) => string): void {
    const format = (): string => line({ chalk: this.#chalk, width: terminalWidth(this.#terminal) });
    bars.create(1, 0, {}, { format });
  }
}

/** Shows bars and passes every event on to `log`, whose lines come through `print`. */
export function displayRenderer(display: Display, log: Renderer): Renderer {
  return {
    report(event) {
      display.report(event);
      log.report(event);
    },
    end(summary, exitCode, error) {
      display.close();
      log.end(summary, exitCode, error);
    },
    pass: log.pass,
    say: log.say,
    tell: log.tell,
    of: log.of,
    fail(error, exitCode) {
      display.close();
      log.fail(error, exitCode);
    },
    close() {
      display.close();
      log.close();
    },
  };
}
