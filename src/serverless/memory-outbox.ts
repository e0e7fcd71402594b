/**
 * The outbox of one call, where no state is configured: it knows nothing of what was sent before. A revision is the time at
 * which the source was looked at, so that of two tickets for one key, the one that has seen more wins.
 * Tests: test/serverless/push.test.ts
 */
import { randomInt } from 'node:crypto';
import type { Change, Move, OutboxRow } from '../manifest/queues.js';

export class MemoryOutbox {
  readonly #rows = new Map<string, OutboxRow & { dueMs: number }>();

  async get(key: string): Promise<OutboxRow | undefined> {
    return this.#rows.get(key);
  }

  async note(changes: readonly Change[]): Promise<string[]> {
    for (const { since: _, ...change } of changes) {
      const revision = Date.now() * 1000 + randomInt(1000);
      this.#rows.set(change.key, { ...change, revision, state: 'waiting', attempts: 0, dueMs: 0 });
    }
    return [];
  }

  async due(nowMs: number, limit: number): Promise<OutboxRow[]> {
    return [...this.#rows.values()].filter(({ state, dueMs }) => state === 'waiting' && dueMs <= nowMs).slice(0, limit);
  }

  async move(moves: readonly Move[]): Promise<void> {
    for (const { untilMs: dueMs = 0, ...move } of moves) {
      const row = this.#rows.get(move.key);
      if (row?.revision === move.revision) this.#rows.set(move.key, { ...row, ...move, dueMs });
    }
  }
}
