/**
 * The places of --compare-dest and --copy-dest, and copies from them. Tests: test/engine/pass/elsewhere.test.ts
 */
import type { ObjectEntry } from '../../model/object.js';
import type { CopyTicket } from '../../model/ticket.js';
import { type Elsewhere, findElsewhere } from '../decide/elsewhere.js';
import type { References as Places, RunSide } from '../pair.js';
import { planCopy, type Route, routeOf } from '../plan/plan.js';
import type { Perform } from '../transfer/executor.js';
import type { RunContext } from './context.js';

export class References {
  readonly #context: RunContext;
  readonly #places: Places;
  readonly #routes: readonly Route[];

  static of(context: RunContext): References | undefined {
    const { references } = context.pair;
    return references && new References(context, references);
  }

  private constructor(context: RunContext, places: Places) {
    this.#context = context;
    this.#places = places;
    const { attempts, carry, wanted } = context.route;
    const { store } = context.pair.dest;
    this.#routes = places.sides.map((side) => routeOf(side.store, store, { attempts, carry, wanted }));
  }

  /** What is found is copied from there; otherwise it is skipped. */
  get copies(): boolean {
    return this.#places.copies;
  }

  /** @throws what HEAD throws */
  find(object: ObjectEntry): Promise<Elsewhere | undefined> {
    const { pair, options, halt } = this.#context;
    const { sides: places } = this.#places;
    const { prefix } = pair.dest;
    const name = pair.single ? prefix.slice(prefix.lastIndexOf('/') + 1) : object.key;
    return findElsewhere({ name, places, source: pair.source, policy: options.policy, signal: halt.signal }, object);
  }

  byService({ place }: Elsewhere): boolean {
    return this.#routes[place]?.byService ?? false;
  }

  /** The ticket of the copy from there. */
  ticketOf(found: Elsewhere, { key, dest }: CopyTicket): CopyTicket {
    const { etag, size, mtimeMs, key: sourceKey } = found;
    const { key: destKey, replaces, expects, backup } = dest;
    const route = this.#routes[found.place] ?? this.#context.route;
    return planCopy(route, { key, sourceKey, destKey, etag, size, mtimeMs, replaces, expects, backup });
  }

  /**
   * Copies from there, and from the source if that does not work. What only size and time show to be the same is reported
   * as such, whatever checks the copy itself passed.
   */
  performing(found: Elsewhere, fromSource: Perform): Perform {
    const side: RunSide | undefined = this.#places.sides[found.place];
    if (!side) return fromSource;
    const perform = this.#context.executor.from(side.store);
    return async (ticket) => {
      const outcome = await perform(this.ticketOf(found, ticket));
      if (outcome.kind === 'unfinished' || outcome.kind === 'overtaken') return outcome;
      if (outcome.kind !== 'copied') return fromSource(ticket);
      return found.proven ? outcome : { ...outcome, verifiedBy: outcome.verifiedBy === 'none' ? 'none' : 'size' };
    };
  }
}
