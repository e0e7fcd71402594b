/**
 * Shares slots, or bytes of memory, among members that do not know of each other: the rules of one process.
 * Tests: test/engine/flow/fair.test.ts
 */
import type { Account } from './account.js';
import type { Limiter } from './queue.js';

interface Waiter {
  member: Member;
  size: number;
  /** How often another one was granted before it. */
  passed: number;
  grant(): void;
}

/** A waiter that was passed this often is next, so that many small requests cannot starve a large one. */
const PATIENCE = 64;

/**
 * Grants units up to a limit. A member may hold at most as many as are still free (a dynamic threshold, as in the buffers
 * of switches): one that never gives back what it holds, because its destination is slow, leaves half to the others, and
 * n such members leave one part in n + 1. A member that is alone has the whole limit. Of those that wait, the one that
 * holds least is next.
 */
export class FairShares {
  readonly #limit: number;
  readonly #members = new Set<Member>();
  readonly #waiting: Waiter[] = [];
  #used = 0;

  /** @param limit units; a single larger request is granted when nothing else is */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * A new member, which may hold at most `most` units. It leaves when it no longer takes any.
   * @param yields called when somebody has to wait for units: gives some back, if what the member holds can be done without
   */
  join(most = this.#limit, yields?: (size: number) => void): Member {
    const member = new Member(
      {
        take: (size) => this.#take(member, size),
        wait: (size) => this.#wait(member, size),
        gave: (size) => {
          this.#used -= size;
          this.#look();
        },
        left: () => {
          this.#members.delete(member);
          this.#look();
        },
      },
      Math.min(most, this.#limit),
      yields,
    );
    this.#members.add(member);
    return member;
  }

  #fits({ used, most }: Member, size: number): boolean {
    const free = this.#limit - this.#used;
    if (this.#used === 0 || (used > 0 && used + size > most)) return this.#used === 0;
    return this.#members.size === 1 ? size <= free : used + size <= free;
  }

  #take(member: Member, size: number): boolean {
    if (this.#waiting.some((waiter) => waiter.member === member || waiter.passed >= PATIENCE)) return false;
    // What it could do without would keep a request for everything waiting.
    if (member.yields && this.#waiting.length > 0) return false;
    if (!this.#fits(member, size)) return false;
    this.#grant(member, size);
    return true;
  }

  #wait(member: Member, size: number): Promise<void> {
    return new Promise((grant) => {
      const waiter = { member, size, passed: 0, grant };
      this.#waiting.push(waiter);
      this.#look();
      for (const { yields } of this.#members) if (this.#waiting.includes(waiter)) yields?.(size);
    });
  }

  #grant(member: Member, size: number): void {
    member.used += size;
    this.#used += size;
  }

  #look(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      for (const other of this.#waiting) if (other.member !== next.member) other.passed++;
      this.#grant(next.member, next.size);
      next.grant();
    }
  }

  /** Of each member, its oldest request. */
  #next(): Waiter | undefined {
    const patient = this.#waiting.find(({ passed }) => passed >= PATIENCE);
    if (patient) return this.#fits(patient.member, patient.size) ? patient : undefined;
    const seen = new Set<Member>();
    let best: Waiter | undefined;
    for (const waiter of this.#waiting) {
      const { member, size } = waiter;
      if (seen.has(member)) continue;
      seen.add(member);
      if (this.#fits(member, size) && (!best || member.used < best.member.used)) best = waiter;
    }
    return best;
  }
}

interface Pool {
  take(size: number): boolean;
  wait(size: number): Promise<void>;
  gave(size: number): void;
  left(): void;
}

/** The account of a member. */
export class Member implements Account {
  readonly most: number;
  readonly #pool: Pool;
  /** Units that it holds; changed by the shares alone. */
  used = 0;

  readonly yields: ((size: number) => void) | undefined;

  constructor(pool: Pool, most: number, yields?: (size: number) => void) {
    this.#pool = pool;
    this.most = most;
    this.yields = yields;
  }

  take(size: number): boolean {
    return this.#pool.take(size);
  }

  wait(size: number): Promise<void> {
    return this.#pool.wait(size);
  }

  give(size: number): void {
    this.used -= size;
    this.#pool.gave(size);
  }

  leave(): void {
    this.#pool.left();
  }
}

/** The limiter, whose tasks also need a unit of the member's share each. */
export function sharing(own: Limiter, member: Account): Limiter {
  const run = <T>(task: () => Promise<T>): Promise<T> =>
    own(async () => {
      if (!member.take(1)) await member.wait(1);
      try {
        return await task();
      } finally {
        member.give(1);
      }
    });
  return Object.defineProperties(run as Limiter, {
    concurrency: {
      get: () => own.concurrency,
      set: (concurrency: number) => {
        own.concurrency = concurrency;
      },
    },
    pendingCount: { get: () => own.pendingCount },
    activeCount: { get: () => own.activeCount },
  });
}
