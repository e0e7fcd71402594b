import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/engine/events.js';
import { Notifier, type NotifierOptions } from '../../src/observe/notifier.js';
import type { ReplicationEvent } from '../../src/observe/replication-event.js';
import type { Target } from '../../src/observe/target.js';
import { copied, end, failed, plan, start } from './events.js';

const T0 = Date.parse('2026-11-21T00:00:00Z');
const MINUTE = 60_000;

class Told implements Target {
  readonly counts = { kind: 'stdout', delivered: 0, dropped: 0, queued: 0 } as const;
  events: ReplicationEvent[] = [];
  send(event: ReplicationEvent): void {
    this.events.push(event);
  }
  async close(): Promise<void> {}
  /** What was told since the last call. */
  take(): string[] {
    return this.events.splice(0).map(({ type, key }) => (key === undefined ? type : `${type} ${key}`));
  }
}

function setUp(options: Partial<NotifierOptions> = {}) {
  const told = new Told();
  const notifier = new Notifier({
    source: 'a:src',
    destination: 'b:dst',
    targets: [told],
    liveSinceMs: () => 0,
    tellIdle: true,
    ...options,
  });
  const hear = (...events: RunEvent[]): void => {
    for (const event of events) notifier.hear(event);
  };
  return { told, notifier, hear };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('notifications', () => {
  it('tell of a new object all that a program can act on', () => {
    const { told, hear } = setUp();
    hear(start(), copied('a', T0 - 4500));
    expect(told.events).toEqual([
      {
        id: expect.stringMatching(/^[\da-f]{12}-1$/),
        type: 'ObjectCreated',
        at: '2026-11-21T00:00:00.000Z',
        pair: { source: 'a:src', destination: 'b:dst' },
        runId: 'run1',
        key: 'a',
        size: 10,
        requestTime: '2026-11-20T23:59:55.500Z',
        lagMs: 4500,
        verifiedBy: 'md5',
      },
    ]);
  });

  it('tell what was replaced from what is new, what was deleted, and what failed', () => {
    const { told, hear } = setUp();
    hear(start(), copied('a', T0, true), { type: 'deleted', key: 'b', size: 1 }, failed('c'));
    expect(told.events[2]).toMatchObject({
      eventName: 's3:Replication:OperationFailedReplication',
      operation: 'copy',
      error: { class: 'person', code: 'access-denied', message: 'AccessDenied' },
    });
    expect(told.take()).toEqual(['ObjectModified a', 'ObjectRemoved b', 'ObjectReplicationFailed c']);
  });

  it('tell once when the tickets of a bridge begin to wait for a person, and once when they no longer do', () => {
    const { told, notifier } = setUp();
    const fault = { code: 'access-denied', message: 'no right' };
    for (const kind of ['temporary', 'person', 'person'] as const) notifier.heldUp({ ...fault, class: kind });
    expect(told.events).toMatchObject([{ type: 'TicketsHeldUp', error: { class: 'person', ...fault } }]);
    notifier.heldUp(undefined);
    notifier.heldUp(undefined);
    expect(told.take()).toEqual(['TicketsHeldUp', 'TicketsResumed']);
  });

  it('have ids of their own, so that one that comes twice is known', () => {
    const { told, hear } = setUp();
    const other = setUp();
    hear(start(), copied('a', T0), copied('a', T0));
    other.hear(start(), copied('a', T0));
    expect(new Set([...told.events, ...other.told.events].map(({ id }) => id)).size).toBe(3);
  });

  it('end a run with its totals, and say what broke it off', () => {
    const { told, hear } = setUp();
    hear(start(), end('broken', { failed: { objects: 1, byClass: { person: 1 }, list: [] } }, 'no route'));
    expect(told.events).toHaveLength(1);
    expect(told.events[0]).toMatchObject({
      type: 'RunFinished',
      runId: 'run1',
      outcome: 'broken',
      error: { code: 'network', message: 'no route' },
      summary: { copied: { objects: 1, bytes: 10 }, failed: { objects: 1, byClass: { person: 1 } } },
    });
    expect(told.events[0]?.summary?.failed).not.toHaveProperty('list');
  });

  it('are silent of the idle passes of a watch, but not of those that did something or broke', () => {
    const { told, hear } = setUp({ tellIdle: false });
    const nothing = { copied: { objects: 0, bytes: 0 } };
    hear(start('1'), end('complete', { runId: '1', ...nothing }));
    expect(told.take()).toEqual([]);
    hear(start('2'), end('complete', { runId: '2' }));
    hear(start('3'), end('guarded', { runId: '3', ...nothing }));
    expect(told.take()).toEqual(['RunFinished', 'RunFinished']);
  });

  it('name the run while there is one, and none when two go on side by side', () => {
    const { told, hear } = setUp();
    hear(start('1'), start('2'), copied('a', T0), end('complete', { runId: '1' }), copied('b', T0));
    expect(told.events.map(({ runId }) => runId)).toEqual([undefined, '1', '2']);
  });

  it('name no run that no report can be had of', () => {
    const { told, hear } = setUp();
    hear(start('1', false, false), copied('a', T0), end('complete', { runId: '1' }));
    expect(told.events.map(({ type, runId }) => [type, runId])).toEqual([
      ['ObjectCreated', undefined],
      ['RunFinished', undefined],
    ]);
  });

  it('tell nothing of a dry run', () => {
    const { told, hear } = setUp();
    hear(start('1', true), plan('a', 0), failed('b'), end());
    vi.advanceTimersByTime(MINUTE);
    expect(told.take()).toEqual([]);
  });

  it('bear with a source whose times make no sense', () => {
    const { told, hear } = setUp();
    hear(start(), plan('a', Number.NaN), copied('a', Number.NaN), copied('b', 1e30));
    expect(told.take()).toEqual(['ObjectCreated a', 'ObjectCreated b']);
  });
});

describe('the threshold', () => {
  it('is missed while the object is still pending, not only once it arrives', () => {
    const { told, hear } = setUp({ rpoMs: 5 * MINUTE });
    hear(start(), plan('a', T0 - MINUTE), plan('b', T0));
    vi.advanceTimersByTime(4 * MINUTE);
    expect(told.take()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(told.events).toEqual([
      expect.objectContaining({
        type: 'MissedThreshold',
        eventName: 's3:Replication:OperationMissedThreshold',
        key: 'a',
        lagMs: 5 * MINUTE + 1000,
        thresholdMs: 5 * MINUTE,
      }),
    ]);
    told.take();
    hear(copied('b', T0));
    expect(told.take()).toEqual(['ObjectCreated b']);
    hear(copied('a', T0 - MINUTE));
    expect(told.take()).toEqual(['ObjectCreated a', 'ReplicatedAfterThreshold a']);
  });

  it('is fifteen minutes, as S3 has it, when none is given', () => {
    const { told, hear } = setUp();
    hear(start(), plan('a', T0));
    vi.advanceTimersByTime(15 * MINUTE);
    expect(told.take()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(told.take()).toEqual(['MissedThreshold a']);
  });

  it('is told of before the object is told to be late, also when it was found late already', () => {
    const { told, hear } = setUp({ rpoMs: MINUTE });
    hear(start(), plan('a', T0 - 2 * MINUTE), copied('a', T0 - 2 * MINUTE), plan('b', T0 - MINUTE + 1));
    expect(told.take()).toEqual(['MissedThreshold a', 'ObjectCreated a', 'ReplicatedAfterThreshold a']);
    vi.setSystemTime(T0 + 10);
    hear(copied('b', T0 - MINUTE + 1));
    expect(told.take()).toEqual(['MissedThreshold b', 'ObjectCreated b', 'ReplicatedAfterThreshold b']);
  });

  it('is missed once by a version, however many runs try it, and again by the next version', () => {
    const { told, hear } = setUp({ rpoMs: MINUTE });
    for (const runId of ['1', '2']) {
      hear(start(runId), plan('a', T0 - 2 * MINUTE), failed('a'), end('complete', { runId }));
    }
    expect(told.take().filter((text) => text.startsWith('Missed'))).toEqual(['MissedThreshold a']);
    hear(start('3'), plan('a', T0 - 1.5 * MINUTE));
    expect(told.take()).toEqual(['MissedThreshold a']);
  });

  it('is not missed by what failed or was left for the next run', () => {
    const { told, hear } = setUp({ rpoMs: MINUTE });
    hear(start(), plan('a', T0), plan('b', T0), failed('a'), end('stopped'));
    told.take();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(told.take()).toEqual([]);
  });

  it('is no matter of history: the first copy of an old bucket raises no storm of alarms', () => {
    const { told, hear } = setUp({ rpoMs: MINUTE, liveSinceMs: () => undefined });
    hear(start(), plan('old', 0), copied('old', 0));
    expect(told.events[0]).not.toHaveProperty('lagMs', expect.anything());
    expect(told.take()).toEqual(['ObjectCreated old']);
    hear(plan('fresh', T0));
    vi.advanceTimersByTime(2 * MINUTE);
    expect(told.take()).toEqual(['MissedThreshold fresh']);
  });
});
