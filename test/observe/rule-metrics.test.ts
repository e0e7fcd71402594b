import { expect, test } from 'vitest';
import { Metrics, type MetricsOptions } from '../../src/observe/metrics.js';
import { RuleMetrics } from '../../src/observe/rule-metrics.js';

const NOW_MS = Date.UTC(2026, 0, 1);

function metricsOf(rule: string, change: Partial<MetricsOptions> = {}): Metrics {
  return new Metrics({
    ...{ rule, source: 'a', destination: 'b', now: () => NOW_MS },
    ...{ status: () => undefined, liveSinceMs: () => undefined, traffic: () => undefined },
    ...change,
  });
}

test('each value has the name of its rule, and each metric is described once', async () => {
  const all = new RuleMetrics();
  const [one, two] = [metricsOf('one'), metricsOf('two')];
  all.set('one', one);
  all.set('two', two);
  two.hear({ type: 'deleted', key: 'k', size: 7 });
  const text = await all.text();
  expect(text).toContain('xsync_deleted_bytes_total{rule="one",source="a",destination="b"} 0');
  expect(text).toContain('xsync_deleted_bytes_total{rule="two",source="a",destination="b"} 7');
  const described = text.split('\n').filter((line) => line.startsWith('# TYPE '));
  expect(new Set(described).size).toBe(described.length);
  expect(text).toContain('process_cpu_seconds_total');
  all.delete('two');
  expect(await all.text()).not.toContain('rule="two"');
});

test('one rule that is unhealthy makes the whole unhealthy, and is named', () => {
  const all = new RuleMetrics();
  all.set('one', metricsOf('one'));
  expect(all.health()).toMatchObject({ status: 'ok', reasons: [] });
  const late = metricsOf('two', { rpoMs: 60_000, status: () => statusAt(NOW_MS - 90_000) });
  all.set('two', late);
  expect(all.health()).toMatchObject({
    status: 'unhealthy',
    reasons: ['two: the destination is 90 s behind, more than the 60 s of --rpo'],
    rules: { one: { status: 'ok' }, two: { status: 'unhealthy' } },
  });
});

function statusAt(untilMs: number): ReturnType<MetricsOptions['status']> {
  const none = { objects: 0, bytes: 0 };
  return {
    ...{
      atMs: NOW_MS,
      synchronised: { untilMs, withoutFailedMs: untilMs, behind: 0 },
      pending: none,
      conflicts: 0,
      known: 0,
      lag: {},
    },
    failed: { ...none, byClass: {}, dropped: 0, oldest: [] },
  };
}
