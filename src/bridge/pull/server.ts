/** Receives tickets. Tests: test/bridge/pull/server.test.ts */
import type { ListenAddress } from '../../inbound/address.js';
import { Door, type DoorMeans } from '../door.js';
import type { Identity } from '../identity.js';
import { Listener } from '../listener.js';
import { Desk, type DeskMeans } from './desk.js';

export interface PullServerMeans extends DeskMeans {
  identity: Identity;
}

export class PullServer {
  readonly #means: PullServerMeans;
  #listener: Listener | undefined;

  constructor(means: PullServerMeans) {
    this.#means = means;
  }

  /** @returns where it listens @throws config */
  async start(address: ListenAddress): Promise<ListenAddress> {
    const { queue, identity, audit } = this.#means;
    const once: DoorMeans['once'] = (...nonce) => queue.once(...nonce);
    const door = new Door({ secrets: () => identity.secrets, once, audit }, new Desk(this.#means).routes);
    this.#listener = await Listener.open({ door, audit, address, identity, what: 'cannot receive tickets' });
    return this.#listener.at;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
