/** The suites over whatever can keep records. */
import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import { RecordOutbox } from '../../../src/manifest/records/outbox.js';
import type { Records } from '../../../src/manifest/records/port.js';
import { pullStateIn } from '../../../src/manifest/records/state.js';
import type { PullState } from '../../../src/manifest/state.js';
import { outboxSuite } from './outbox.js';
import { ticketSuite } from './tickets.js';
import { checkpointSuite, writtenSuite } from './uploads.js';

/** @param open records whose names begin with this, as a process of its own sees them */
export function describeRecords(name: string, open: (prefix: string) => Records): void {
  let prefix = '';
  const make = (how?: { again: true }): Records => {
    if (!how) prefix = `${randomUUID()}/`;
    return open(prefix);
  };
  const state = async (how?: { again: true }): Promise<PullState> => pullStateIn(make(how));
  describe(name, () => {
    describe('tickets', () => ticketSuite(async () => (await state()).queue));
    describe('an outbox', () => outboxSuite(async (how) => new RecordOutbox(make(how))));
    describe('checkpoints', () => checkpointSuite(async (how) => (await state(how)).checkpoints));
    describe('written objects', () => writtenSuite(async () => (await state()).written));
  });
}
