import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { PairStatus } from '../../src/engine/record/status.js';
import { Metrics, type MetricsOptions } from '../../src/observe/metrics.js';
import { begin, copied, end, failed, STATUS, start } from './events.js';

const TRAFFIC = {
  source: { requests: { list: 2, read: 5 }, bytesIn: 100, bytesOut: 0 },
  destination: { requests: { put: 5 }, bytesIn: 0, bytesOut: 100 },
};
const PAIR = 'source="a:src",destination="b:dst"';

function setUp(options: Partial<MetricsOptions> = {}) {
  const clock = { ms: 1_000_000 };
  const metrics = new Metrics({
    source: 'a:src',
    destination: 'b:dst',
    status: () => STATUS,
    liveSinceMs: () => 0,
    traffic: () => TRAFFIC,
    now: () => clock.ms,
    ...options,
  });
  /** The value of a sample without the labels of the pair; undefined when there is none. */
  const read = async (name: string, labels = ''): Promise<number | undefined> => {
    const all = labels === '' ? PAIR : `${labels},${PAIR}`;
    const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`${name}{${all}} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  return { metrics, clock, read };
}

const behind = (untilMs: number, objects = 0): PairStatus => ({
  ...STATUS,
  synchronised: { untilMs, withoutFailedMs: untilMs, behind: objects },
});

describe('metrics', () => {
  it('count what is copied, and by what it is proved', async () => {
    const { metrics, read } = setUp();
    for (const event of [start(), begin('a'), copied('a', 999_000), begin('b'), failed('b')]) metrics.hear(event);
    expect(await read('xsync_copied_objects_total', 'verified_by="md5"')).toBe(1);
    expect(await read('xsync_copied_bytes_total')).toBe(10);
    expect(await read('xsync_replication_operations_failed_total', 'class="person"')).toBe(1);
  });

  it('show a failure that is the first as a rise from 0, which a rate would otherwise miss', async () => {
    const { read } = setUp();
    expect(await read('xsync_replication_operations_failed_total', 'class="temporary"')).toBe(0);
    expect(await read('xsync_runs_total', 'outcome="broken"')).toBe(0);
  });

  it('do not report the age of old objects as lag in the first pass', async () => {
    const { metrics, read } = setUp({ liveSinceMs: () => undefined });
    metrics.hear(start());
    metrics.hear(copied('old', 5_000));
    metrics.hear(copied('written meanwhile', 1_000_000));
    expect(await read('xsync_replication_latency_seconds_count')).toBe(1);
  });

  it('tell how long a change took to cross', async () => {
    const { metrics, clock, read } = setUp({ liveSinceMs: () => 900_000 });
    metrics.hear(start());
    clock.ms = 1_007_000;
    metrics.hear(copied('a', 1_000_000));
    expect(await read('xsync_replication_latency_seconds_bucket', 'le="5"')).toBe(0);
    expect(await read('xsync_replication_latency_seconds_bucket', 'le="10"')).toBe(1);
    expect(await read('xsync_replication_latency_seconds_sum')).toBe(7);
  });

  it('survive many runs in one process, also side by side', async () => {
    const { metrics, read } = setUp();
    metrics.hear(start('one'));
    metrics.hear({ type: 'listed', side: 'source', objects: 1000, done: false });
    metrics.hear({ type: 'listed', side: 'source', objects: 1500, done: true });
    metrics.hear(begin('a'));
    metrics.hear(start('two'));
    metrics.hear(end('complete', { runId: 'two' }));
    expect(await read('xsync_objects_in_flight')).toBe(1);
    expect(await read('xsync_runs_active')).toBe(1);
    metrics.hear(end('stopped', { runId: 'one' }));
    metrics.hear(start('three'));
    metrics.hear({ type: 'listed', side: 'source', objects: 2000, done: true });
    metrics.hear(end('complete', { runId: 'three' }));
    expect(await read('xsync_objects_in_flight')).toBe(0);
    expect(await read('xsync_listed_objects_total', 'side="source"')).toBe(3500);
    expect(await read('xsync_runs_total', 'outcome="complete"')).toBe(2);
    expect(await read('xsync_last_run_outcome', 'outcome="complete"')).toBe(1);
    expect(await read('xsync_last_run_outcome', 'outcome="stopped"')).toBe(0);
  });

  it('have no watermark before there is one, which would be 1970 and an alarm', async () => {
    let status = STATUS;
    const { clock, read } = setUp({ status: () => status });
    expect(await read('xsync_replication_watermark_timestamp_seconds')).toBeUndefined();
    expect(await read('xsync_last_run_end_timestamp_seconds')).toBeUndefined();
    expect(await read('xsync_tuned_parts')).toBeUndefined();
    status = behind(500_000);
    clock.ms += 10_000;
    expect(await read('xsync_replication_watermark_timestamp_seconds')).toBe(500);
  });

  it('ask the manifest rarely, however often they are scraped, and never while it is closed', async () => {
    let asked = 0;
    let status: PairStatus | undefined = { ...STATUS, known: 7 };
    const { clock, read } = setUp({
      status: () => {
        asked++;
        return status;
      },
    });
    for (let i = 0; i < 5; i++) await read('xsync_manifest_objects');
    expect(asked).toBe(1);
    status = undefined;
    clock.ms += 60_000;
    expect(await read('xsync_manifest_objects')).toBe(7);
  });

  it('count requests by side and kind, and retries by code', async () => {
    const { metrics, read } = setUp();
    metrics.hear(start());
    const message = 'SlowDown';
    for (let attempt = 1; attempt < 3; attempt++) {
      metrics.hear({ type: 'retry', side: 'source', kind: 'read', attempt, delayMs: 1, code: 'throttled', message });
    }
    await metrics.text();
    expect(await read('xsync_requests_total', 'side="source",kind="read"')).toBe(5);
    expect(await read('xsync_traffic_bytes_total', 'side="destination",direction="out"')).toBe(100);
    expect(await read('xsync_request_retries_total', 'side="source",kind="read",code="throttled"')).toBe(2);
  });

  it('never have a key in a label, so that a bucket of a million keys makes no million series', async () => {
    const { metrics } = setUp();
    metrics.hear(start());
    for (const event of [begin('secret-key'), copied('secret-key', 0), failed('secret-key')]) metrics.hear(event);
    metrics.hear({ type: 'skip', key: 'secret-key', size: 1, reason: 'filtered', detail: 'secret-key' });
    expect(await metrics.text()).not.toContain('secret-key');
  });

  it('can be read by Prometheus whatever the folders are called', async () => {
    const { metrics } = setUp({ source: 'C:\\new "x"\n' });
    expect(await metrics.text()).toContain('{source="C:\\\\new \\"x\\"\\n",destination="b:dst"} ');
  });

  it('count nothing of a dry run', async () => {
    const { metrics, read } = setUp();
    for (const event of [start('x', true), failed('a'), end('complete')]) metrics.hear(event);
    expect(await read('xsync_runs_total', 'outcome="complete"')).toBe(0);
    expect(await read('xsync_replication_operations_failed_total', 'class="person"')).toBe(0);
  });
});

describe('health', () => {
  it('is bad when the destination is further behind than promised, and says by how much', () => {
    const { metrics, clock } = setUp({ status: () => behind(1_000_000, 2), rpoMs: 60_000 });
    clock.ms = 1_060_000;
    expect(metrics.health()).toMatchObject({ status: 'ok', reasons: [], watermarkAgeMs: 60_000 });
    clock.ms = 1_061_000;
    expect(metrics.health()).toEqual({
      status: 'unhealthy',
      reasons: ['the destination is 61 s behind, more than the 60 s of --rpo, held back by 2 failed objects'],
      watermark: '1970-01-01T00:16:40.000Z',
      watermarkAgeMs: 61_000,
      rpoMs: 60_000,
      brokenRuns: 0,
    });
  });

  it('names no time when none is known', () => {
    const { metrics } = setUp({ status: () => behind(0, 1), rpoMs: 60_000 });
    expect(metrics.health()).toMatchObject({
      status: 'unhealthy',
      reasons: ['it is unknown how far the destination is behind, held back by 1 failed object'],
      watermark: null,
      watermarkAgeMs: null,
    });
  });

  it('promises nothing without --rpo', () => {
    const { metrics } = setUp({ status: () => behind(0) });
    expect(metrics.health().status).toBe('ok');
  });

  it('is bad after three runs in a row that broke off, and good again after one that did not', () => {
    const { metrics } = setUp();
    const fail = (): void => {
      metrics.hear(start());
      metrics.hear(end('broken', {}, 'the line is down'));
    };
    fail();
    fail();
    expect(metrics.health().status).toBe('ok');
    fail();
    expect(metrics.health()).toMatchObject({
      status: 'unhealthy',
      reasons: ['the last 3 runs failed: the line is down'],
    });
    metrics.hear(start());
    metrics.hear(end('complete'));
    expect(metrics.health().status).toBe('ok');
  });

  it('is bad when a watch has not been able to do anything for a minute, whatever it calls the trouble', () => {
    const { metrics, clock } = setUp();
    metrics.hear({ type: 'trouble', code: 'network', message: 'no route' });
    clock.ms += 59_000;
    metrics.hear({ type: 'trouble', code: 'network', message: 'reset' });
    expect(metrics.health().status).toBe('ok');
    clock.ms += 1_000;
    expect(metrics.health()).toMatchObject({ status: 'unhealthy', reasons: ['no progress for 60 s: reset'] });
    metrics.hear({ type: 'well', afterMs: 60_000 });
    expect(metrics.health().status).toBe('ok');
  });
});

describe('the server of metrics', () => {
  it('answers with metrics of the pair and of the process, and with health', async () => {
    const { metrics, clock } = setUp({ status: () => behind(1_000_000), rpoMs: 1000 });
    const { url, close } = await metrics.listen({ host: '127.0.0.1', port: 0 });
    try {
      const answer = await fetch(`${url}/metrics`);
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const text = await answer.text();
      expect(text).toContain('\nxsync_replication_bytes_pending{');
      expect(text).toContain('\nprocess_resident_memory_bytes ');
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      clock.ms += 10_000;
      const ill = await fetch(`${url}/healthz`);
      expect(ill.status).toBe(503);
      expect(await ill.json()).toMatchObject({ status: 'unhealthy', watermarkAgeMs: 10_000 });
    } finally {
      await close();
    }
  });

  it('takes nothing, and says where there is something', async () => {
    const { metrics } = setUp();
    const { url, close } = await metrics.listen({ host: '127.0.0.1', port: 0 });
    try {
      expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
      const missing = await fetch(`${url}/__proto__`);
      expect([missing.status, await missing.text()]).toEqual([404, 'not found; the pages are /metrics, /healthz\n']);
      expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200);
    } finally {
      await close();
    }
  });

  it('says what to do when its port is in use', async () => {
    const { metrics } = setUp();
    const { url, close } = await metrics.listen({ host: '127.0.0.1', port: 0 });
    try {
      const port = Number(new URL(url).port);
      await expect(metrics.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
        code: 'config',
        message: `--metrics-addr: cannot listen at ${url}: another program uses this port`,
        remedy: 'choose another port, or stop that program',
      });
    } finally {
      await close();
    }
  });

  it('does not keep the program from ending while somebody holds a connection', async () => {
    const { metrics } = setUp();
    const { url, close } = await metrics.listen({ host: '127.0.0.1', port: 0 });
    const held = request(`${url}/metrics`, { method: 'POST' }).on('error', () => undefined);
    held.write('half');
    await new Promise((resolve) => held.on('socket', (socket) => socket.on('connect', resolve)));
    await close();
    held.destroy();
  });
});
