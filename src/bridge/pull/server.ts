/** Receives tickets by HTTP. Tests: test/bridge/pull/server.test.ts */
import type { ListenAddress } from '../../inbound/address.js';
import type { Identity } from '../identity.js';
import { Listener } from '../listener.js';
import type { Audit } from './audit.js';
import { Desk, type DeskMeans } from './desk.js';

export interface PullServerMeans extends Omit<DeskMeans, 'secrets'> {
  identity: Identity;
  audit: Audit;
}

export class PullServer {
  readonly #means: PullServerMeans;
  #listener: Listener | undefined;

  constructor(means: PullServerMeans) {
    this.#means = means;
  }

  /** @returns where it listens @throws config */
  async start(address: ListenAddress): Promise<ListenAddress> {
    const { identity, audit } = this.#means;
    const door = new Desk({
      ...this.#means,
      get secrets() {
        return identity.secrets;
      },
    });
    this.#listener = await Listener.open({ door, audit, address, identity, what: 'cannot receive tickets' });
    return this.#listener.at;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
