import { expect, it } from 'vitest';
import type { Backlog } from '../../src/model/backlog.js';
import { BridgeMetrics } from '../../src/observe/bridge.js';

const NAMES = { source: 'a:b', destination: 'https://there' };

it('answers with the tickets of an end, asked for at most every three seconds', async () => {
  let nowMs = 1_000_000;
  let asked = 0;
  const backlog = async (): Promise<Backlog> => {
    asked++;
    return { tickets: { queued: 2 * asked, dead: 1 }, waitingBytes: 30, oldestMs: 940_000 };
  };
  const metrics = new BridgeMetrics({ ...NAMES, backlog, now: () => nowMs });
  const text = await metrics.text();
  const ends = 'source="a:b",destination="https://there"';
  expect(text).toContain(`xsync_bridge_tickets{state="queued",${ends}} 2\n`);
  expect(text).toContain(`xsync_bridge_tickets{state="dead",${ends}} 1\n`);
  expect(text).toContain(`xsync_bridge_waiting_bytes{${ends}} 30\n`);
  expect(text).toContain(`xsync_bridge_oldest_ticket_timestamp_seconds{${ends}} 940\n`);
  nowMs += 2_999;
  await metrics.health();
  expect(asked).toBe(1);
  nowMs += 1;
  expect(await metrics.text()).toContain(`state="queued",${ends}} 4\n`);
});

it('is unhealthy when a change waits too long, or when nothing goes on for a minute', async () => {
  let nowMs = 1_000_000;
  const backlog = async (): Promise<Backlog> => ({ tickets: {}, waitingBytes: 0, oldestMs: 990_000 });
  const metrics = new BridgeMetrics({ ...NAMES, backlog, rpoMs: 15_000, now: () => nowMs });
  expect(await metrics.health()).toMatchObject({ status: 'ok', reasons: [], oldestAgeMs: 10_000, rpoMs: 15_000 });
  metrics.trouble('it is away');
  nowMs += 30_000;
  metrics.trouble('it is still away');
  nowMs += 30_000;
  expect((await metrics.health()).reasons).toEqual([
    'a change has waited for 70 s, more than the 15 s of --rpo',
    'no progress for 60 s: it is still away',
  ]);
  metrics.trouble(undefined);
  expect((await metrics.health()).reasons).toHaveLength(1);
});

it('a backlog that cannot be read is asked for again', async () => {
  let nowMs = 0;
  const backlogs = [async () => Promise.reject(new Error('no')), async () => ({ tickets: {}, waitingBytes: 1 })];
  const backlog = (): Promise<Backlog> => backlogs.shift()?.() ?? Promise.reject(new Error('none'));
  const metrics = new BridgeMetrics({ ...NAMES, backlog, now: () => nowMs });
  await expect(metrics.text()).rejects.toThrow('no');
  nowMs += 3_000;
  expect(await metrics.health()).toMatchObject({ status: 'ok', oldestAgeMs: null });
});
