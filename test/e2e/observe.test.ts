/** What the built binary tells other programs while it runs and when it ends. */

import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BridgeMetrics } from '../../src/observe/bridge.js';
import type { ReplicationEvent } from '../../src/observe/replication-event.js';
import { Lab, type Running, until } from './harness.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/grafana/', import.meta.url));
const MIB = 1024 ** 2;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** Waits until the run says where its metrics are. */
async function metricsOf(running: Running): Promise<string> {
  const address = (): string | undefined => /metrics at (http:\S+)\/metrics/.exec(running.stderr)?.[1];
  await until(() => address() !== undefined, { orElse: running.done });
  const url = address();
  if (url === undefined) throw new Error(`no metrics: ${running.stderr}`);
  return url;
}

const eventsIn = (path: string): ReplicationEvent[] => linesOf(readFileSync(path, 'utf8'));
const linesOf = (text: string): ReplicationEvent[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReplicationEvent);
const told = (events: readonly ReplicationEvent[]): string[] => events.map(({ type, key }) => `${type} ${key ?? ''}`);

/** Sum over the samples of a metric. */
function sampleOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe('a sync that is observed', () => {
  test('serves metrics while it runs, and tells of every object in a file', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const path = lab.path('events');
    source.put('same', 'same');
    source.put('old', 'old');
    const pair = [source.at(), dest.at()];
    expect((await lab.run(['sync', ...pair, '--notify', `file:${path}`])).code).toBe(0);
    expect(told(eventsIn(path)).sort()).toEqual(['ObjectCreated old', 'ObjectCreated same', 'RunFinished ']);

    source.put('old', 'newer');
    source.put('large', Buffer.alloc(6 * MIB, 7));
    source.remote.store.delete(source.name, 'same');
    // The large one takes six seconds: time to look.
    dest.fault({ kind: 'slow', bytesPerSecond: MIB }, { key: 'large' });
    const flags = ['--metrics-addr', '127.0.0.1:0', '--notify', `file:${path}`, '--rpo', '1s', '--max-delete', '50%'];
    const running = lab.start(['sync', ...pair, ...flags]);
    const url = await metricsOf(running);
    let text = '';
    for (let over = false; !over && !/^xsync_objects_in_flight\{[^}]*\} 1$/m.test(text); ) {
      text = await (await fetch(`${url}/metrics`)).text();
      over = await Promise.race([running.done.then(() => true), new Promise<false>((go) => setTimeout(go, 20, false))]);
    }
    expect(sampleOf(text, 'xsync_objects_in_flight')).toBe(1);
    expect(text).toContain(`source="${source.at()}",destination="${dest.at()}"`);
    const health = await (await fetch(`${url}/healthz`)).json();
    expect(health).toMatchObject({ watermark: expect.stringMatching(/^20/), rpoMs: 1000, brokenRuns: 0 });
    expect((await running.done).code).toBe(0);
    const events = eventsIn(path).slice(3);
    const late = told(events.filter(({ key }) => key === 'large'));
    expect(late).toEqual(['MissedThreshold large', 'ObjectCreated large', 'ReplicatedAfterThreshold large']);
    expect(told(events)).toEqual(expect.arrayContaining(['ObjectModified old', 'ObjectRemoved same']));
    expect(events.find(({ type }) => type === 'ReplicatedAfterThreshold')?.lagMs).toBeGreaterThan(1000);
    expect(events.at(-1)).toMatchObject({
      type: 'RunFinished',
      outcome: 'complete',
      summary: { copied: { objects: 2 }, deleted: { objects: 1 } },
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('delivers to a webhook what can be proved to be ours before it ends, through failures and slowness', async () => {
    const secret = 'an-obvious-test-secret';
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let i = 0; i < 30; i++) source.put(`k${i}`, `${i}`);
    const got: ReplicationEvent[] = [];
    let calls = 0;
    const server = createServer(async (request, response) => {
      const body = await bodyOf(request);
      const [, t, v1] = /^t=(\d+),v1=([\da-f]{64})$/.exec(String(request.headers['x-xsync-signature'])) ?? [];
      const mine = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
      if (++calls % 4 === 0) response.writeHead(503).end();
      else {
        if (v1 === mine) got.push(JSON.parse(body) as ReplicationEvent);
        setTimeout(() => response.end(), 20);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const hook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const outcome = await lab.run(['copy', source.at(), dest.at(), '--notify', hook], { XSYNC_NOTIFY_SECRET: secret });
    expect(outcome.code).toBe(0);
    expect(new Set(got.map(({ id }) => id)).size).toBe(31);
    expect(got.filter(({ type }) => type === 'ObjectCreated')).toHaveLength(30);

    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    source.put('late', 'late');
    const losing = lab.start(['copy', source.at(), dest.at(), '--notify', hook]);
    await until(() => losing.stderr.includes('Elapsed'), { orElse: losing.done });
    const next = await lab.run(['copy', source.at(), dest.at()]);
    expect(next.code, 'the pair is free while the last notifications are tried').toBe(0);
    const lost = await losing.done;
    expect(lost.code, 'a run is not worse for a listener that is down').toBe(0);
    expect(lost.stderr).toMatch(/warning: --notify: 2 events were not delivered to http:\S+: connect ECONNREFUSED/);
  });

  test('says what failed, in the words of the run, on standard output', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('/slash', 'OSS has no such key');
    const outcome = await lab.run(['copy', source.at(), dest.at(), '--notify', '-']);
    const events = linesOf(outcome.stdout);
    expect(told(events)).toEqual(['ObjectReplicationFailed /slash', 'RunFinished ']);
    expect(events[0]).toMatchObject({
      eventName: 's3:Replication:OperationFailedReplication',
      operation: 'copy',
      error: { class: 'permanent', code: 'key-not-representable' },
    });
  });

  test('refuses what cannot be before it copies anything, and says what to do', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('a', 'a');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const complaint = async (...flags: string[]): Promise<string> => {
      const outcome = await lab.run(['copy', source.at(), dest.at(), ...flags]);
      expect(outcome.code).not.toBe(0);
      return outcome.stderr;
    };
    expect(await complaint('--metrics-addr', `:${port}`)).toContain(
      `--metrics-addr: cannot listen at http://127.0.0.1:${port}: another program uses this port`,
    );
    expect(await complaint('--metrics-addr', 'here')).toContain('--metrics-addr: "here" is not an address such as');
    expect(await complaint('--notify', 'somewhere')).toContain('--notify takes "-" (standard output), file:PATH');
    expect(await complaint('--notify', '-', '--json')).toContain('both write to standard output');
    expect(dest.keys()).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the examples', () => {
  let names: Set<string>;

  beforeAll(async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('large', Buffer.alloc(2 * MIB));
    dest.fault({ kind: 'slow', bytesPerSecond: 2 * MIB });
    const running = lab.start(['sync', source.at(), dest.at(), '--metrics-addr', ':0']);
    const text = await (await fetch(`${await metricsOf(running)}/metrics`)).text();
    names = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name));
    await running.done;
  });

  /** What stands before a selector, a range or an operator, and is none of PromQL's own words. */
  const metricsIn = (query: string): string[] =>
    [...query.matchAll(/\b(xsync_\w+|process_\w+|nodejs_\w+)/g)].map(([, name = '']) => name.replace(/_bucket$/, ''));

  test('of Grafana is a dashboard that asks for nothing that does not exist', () => {
    const dashboard = JSON.parse(readFileSync(join(EXAMPLES, 'xsync.json'), 'utf8')) as Dashboard;
    const variables = dashboard.templating.list;
    expect(dashboard).toMatchObject({ title: 'xsync', uid: 'xsync', schemaVersion: expect.any(Number) });
    expect(variables.find(({ type }) => type === 'datasource')).toMatchObject({
      name: 'datasource',
      query: 'prometheus',
    });
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const panel of panels) {
      expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24);
      expect(panel.targets.length, panel.title).toBeGreaterThan(0);
      for (const { datasource, expr } of panel.targets) {
        expect(datasource).toEqual({ type: 'prometheus', uid: '$' + '{datasource}' });
        expectBalanced(expr);
        expect(metricsIn(expr).length, expr).toBeGreaterThan(0);
        for (const name of metricsIn(expr)) expect(names, expr).toContain(name);
        for (const [, used] of expr.matchAll(/\$(\w+)/g)) {
          expect([...variables.map(({ name }) => name), '__rate_interval'], expr).toContain(used);
        }
      }
    }
    for (const { definition } of variables) {
      for (const name of metricsIn(definition ?? '')) expect(names).toContain(name);
    }
  });

  test('of Prometheus ask for nothing that does not exist, and warn of what is late, what is gone and what failed', () => {
    const { groups } = parse(readFileSync(join(EXAMPLES, 'alerts.yml'), 'utf8')) as Alerts;
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.flatMap(({ expr }) => metricsIn(expr))).toEqual([
      'xsync_replication_watermark_timestamp_seconds',
      'xsync_build_info',
      'xsync_build_info',
      'xsync_replication_watermark_timestamp_seconds',
      'xsync_replication_failed_objects',
    ]);
    for (const { expr } of rules) for (const name of metricsIn(expr)) expect(names).toContain(name);
    const scrape = parse(readFileSync(join(EXAMPLES, 'prometheus.yml'), 'utf8')) as { rule_files: string[] };
    expect(scrape.rule_files).toEqual(['alerts.yml']);
  });
});

test('docs/metrics.md names every metric, and none that does not exist', async () => {
  const docs = readFileSync(fileURLToPath(new URL('../../docs/metrics.md', import.meta.url)), 'utf8');
  // A copy of nothing may end before it is asked.
  const running = lab.start(['watch', lab.east.bucket().at(), lab.shanghai.bucket().at(), '--metrics-addr', ':0']);
  const text = await (await fetch(`${await metricsOf(running)}/metrics`)).text();
  running.kill('SIGTERM');
  await running.done;
  const real = [...text.matchAll(/^# TYPE (xsync_\S+) /gm)].map(([, name]) => name);
  const bridge = await new BridgeMetrics({
    source: 'a:',
    destination: 'b:',
    backlog: async () => ({ tickets: {}, waitingBytes: 0 }),
  }).text();
  for (const [, name] of bridge.matchAll(/^# TYPE (xsync_bridge_\S+) /gm)) real.push(name);
  const named = [...docs.matchAll(/^\| `(xsync_\w+)`/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(real.sort());
});

interface Dashboard {
  panels: {
    id: number;
    type: string;
    title: string;
    gridPos: { x: number; w: number };
    targets: { expr: string; datasource: object }[];
  }[];
  templating: { list: { name: string; type: string; query: unknown; definition?: string }[] };
}

interface Alerts {
  groups: { rules: { expr: string }[] }[];
}

function expectBalanced(query: string): void {
  for (const [open, close] of ['()', '{}', '[]'].map((pair) => [...pair])) {
    const count = (mark = ''): number => query.split(mark).length;
    expect(count(open), query).toBe(count(close));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
