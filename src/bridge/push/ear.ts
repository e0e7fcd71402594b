/** Hears from the pulling end what became of tickets. Tests: test/bridge/callbacks.test.ts */
import { Door, readBody } from '../door.js';
import type { Audit } from '../pull/audit.js';
import { CALLBACK_PATH, callbackBody, type Told } from '../ticket.js';

export interface EarMeans {
  secrets(): readonly string[];
  audit: Pick<Audit, 'refuse'>;
  hear(outcomes: readonly Told[]): void;
}

/** The checks of a callback are those of a ticket. */
export function earDoor({ secrets, audit, hear }: EarMeans): Door {
  const nonces = new Nonces();
  const once = async (...nonce: Parameters<Nonces['once']>): Promise<boolean> => nonces.once(...nonce);
  // Nonces of an earlier process are forgotten, so that what it may have heard is refused. It is asked for, too.
  const means = { secrets, once, audit, sinceMs: Date.now() };
  const work = async (text: string) => {
    hear(readBody(callbackBody, text).outcomes);
    return { status: 200, body: {} };
  };
  return new Door(means, new Map([[`POST ${CALLBACK_PATH}`, work]]));
}

/** In memory: only whoever has the secret makes them. */
class Nonces {
  /** Until when they are remembered, in the order in which they came. */
  readonly #known = new Map<string, number>();

  once(nonce: string, untilMs: number, nowMs: number): boolean {
    for (const [old, endMs] of this.#known) {
      if (endMs >= nowMs) break;
      this.#known.delete(old);
    }
    if (this.#known.has(nonce)) return false;
    this.#known.set(nonce, untilMs);
    return true;
  }
}
