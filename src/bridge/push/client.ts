/** Calls the pulling end. Tests: test/bridge/pull/server.test.ts */
import type * as z from 'zod';
import { SignedClient } from '../signed-client.js';
import { askBody, type BridgeTicket, outcomesBody, takenBody } from '../ticket.js';

export type Taken = z.output<typeof takenBody>;
export type Outcomes = z.output<typeof outcomesBody>['outcomes'];

export class PullClient extends SignedClient {
  /** @returns once the tickets are safe there. @throws throttled: they must be sent later; … */
  send(tickets: readonly BridgeTicket[]): Promise<Taken> {
    return this.post('/v1/tickets', { tickets }, takenBody);
  }

  async ask(ids: readonly string[]): Promise<Outcomes> {
    return (await this.post('/v1/outcomes', askBody.parse({ ids }), outcomesBody)).outcomes;
  }
}
