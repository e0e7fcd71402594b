/**
 * Converts every ticket and outcome of a run to JSON and back, as if they were sent to another machine. A setup file of
 * the suite.
 */
import { vi } from 'vitest';
import { validTicket } from '../../src/engine/plan/valid-ticket.js';
import type * as performing from '../../src/engine/transfer/perform.js';

vi.mock('../../src/engine/transfer/perform.js', async (importOriginal) => {
  const real = await importOriginal<typeof performing>();
  const viaJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const sent = <T>(ticket: T): T => {
    validTicket(viaJson(ticket));
    return viaJson(ticket);
  };
  return {
    perform: async (ticket, means) => viaJson(await real.perform(sent(ticket), means)),
    performDeletes: async (tickets, means) => viaJson(await real.performDeletes(tickets.map(sent), means)),
    performVersionDelete: async (ticket, means) => viaJson(await real.performVersionDelete(sent(ticket), means)),
    performMarker: async (ticket, means) => viaJson(await real.performMarker(sent(ticket), means)),
  } satisfies typeof performing;
});
