/** One suite for whatever keeps the state of a bridge. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'vitest';
import { SqliteTicketQueue } from '../../src/manifest/sqlite/ticket-queue.js';
import { ticketSuite } from './state/tickets.js';

describe('SQLite', () => {
  let directory: string;
  const closing: (() => Promise<void>)[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'xsync-state-'));
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    rmSync(directory, { recursive: true });
  });

  ticketSuite(async () => {
    const queue = new SqliteTicketQueue(join(directory, 'queue'));
    closing.push(() => queue.close());
    return queue;
  });
});
