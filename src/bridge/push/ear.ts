/** Hears from the pulling end what became of tickets. Tests: test/bridge/callbacks.test.ts */
import { Door, type DoorMeans, readBody } from '../door.js';
import type { Audit } from '../pull/audit.js';
import { CALLBACK_PATH, callbackBody, type Told } from '../ticket.js';

export interface EarMeans {
  secrets(): readonly string[];
  audit: Pick<Audit, 'refuse'>;
  hear(outcomes: readonly Told[]): void | Promise<void>;
  /** Where nonces are remembered; absent: in this process. */
  once?: DoorMeans['once'];
}

/** The checks of a callback are those of a ticket. */
export function earDoor({ secrets, audit, hear, once }: EarMeans): Door {
  const means = { secrets, audit, ...(once ? { once } : inThisProcess()) };
  const work = async (text: string) => {
    await hear(readBody(callbackBody, text).outcomes);
    return { status: 200, body: {} };
  };
  return new Door(means, new Map([[`POST ${CALLBACK_PATH}`, work]]));
}

/** Nonces of an earlier process are forgotten, so that what it may have heard is refused. It is asked for, too. */
function inThisProcess(): Pick<DoorMeans, 'once' | 'sinceMs'> {
  const nonces = new Nonces();
  return { once: async (...nonce) => nonces.once(...nonce), sinceMs: Date.now() };
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
