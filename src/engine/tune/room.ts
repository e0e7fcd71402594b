/**
 * Whether the lines to the stores are full or have room for more connections, by what the kernel says. A line has room if
 * round trips are as short as they can be, so that no packets wait in front of it, and connections lose packets at random, so
 * that each stays slower than the line would let it be. A line without losses will be filled by the connections it has. Pure.
 * Tests: test/engine/tune/room.test.ts
 */
import type { LineState } from '../../model/line-state.js';

/** Round trips may take longer by this share, or by so many milliseconds, without a queue. */
const WAIT = { share: 0.05, ms: 2 };
/** If they take longer by so much, the line is full. */
const QUEUE = { share: 0.2, ms: 10 };
/** Looks that count: a queue comes and goes. */
const LOOKS = 4;
/** How often they must have found that a connection had lost packets, on average. */
const LOSSES = 0.5;

/** `lossy`: it has room, and only more connections can fill it. */
export type Filling = 'lossy' | 'full';

interface Look {
  queue: 'none' | 'some' | 'full';
  /** Share of the connections. */
  losses: number;
}

export class Room {
  readonly #looks: Look[] = [];

  /** @param lines between the stores and this host; none: nothing is known */
  look(lines: readonly LineState[]): void {
    const sending = lines.filter(({ senders }) => senders > 0);
    const losses = sending.map(({ lossy, senders }) => lossy / senders);
    this.#looks.push({ queue: queueOf(sending), losses: Math.max(0, ...losses) });
    if (this.#looks.length > LOOKS) this.#looks.shift();
  }

  /** Undefined: neither, or not known. */
  get filling(): Filling | undefined {
    const looks = this.#looks;
    if (looks.length < LOOKS) return undefined;
    if (looks.filter(({ queue }) => queue === 'full').length > LOOKS / 2) return 'full';
    const losses = looks.reduce((sum, look) => sum + look.losses, 0);
    return looks.every(({ queue }) => queue === 'none') && losses >= LOSSES ? 'lossy' : undefined;
  }
}

function queueOf(lines: readonly LineState[]): Look['queue'] {
  const isLonger = ({ waitMs, leastMs }: LineState, than: typeof WAIT): boolean =>
    waitMs > Math.max(than.ms, leastMs * than.share);
  if (lines.some((line) => isLonger(line, QUEUE))) return 'full';
  return lines.length > 0 && !lines.some((line) => isLonger(line, WAIT)) ? 'none' : 'some';
}
