/** The examples for operators fit what xsync does: exit codes, metrics, paths. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { MOST_BYTES } from '../../src/bridge/ticket.js';
import { EXIT } from '../../src/cli/exit.js';
import { buildProgram } from '../../src/cli/main.js';
import { WAITING } from '../../src/cluster/keys.js';
import { Authority } from '../support/certificates.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = (file: string): string => readFileSync(root + file, 'utf8');

/** The metrics in the table of docs/metrics.md, which test/e2e/observe.test.ts compares with the program. */
const METRICS = new Set(Array.from(text('docs/metrics.md').matchAll(/^\| `(xsync_\w+)` \|/gm), ([, name]) => name));

/** The settings of a unit: every value of each key. */
function unit(file: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const [, key = '', value = ''] of text(file).matchAll(/^(\w+)=(.*)$/gm)) {
    settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
}

/** Parses a command line as the program does, without running it. @throws for what it does not know */
function understands(args: readonly string[]): void {
  const sink = process.stderr;
  const io = { stdin: process.stdin, stdout: sink, stderr: sink, env: {}, now: Date.now };
  const program = buildProgram(io, () => {});
  let [command, rest] = [program.commands.find((each) => each.name() === args[0]), args.slice(1)];
  const sub = command?.commands.find((each) => each.name() === rest[0]);
  if (sub) [command, rest] = [sub, rest.slice(1)];
  const { operands, unknown } = command?.parseOptions([...rest]) ?? { operands: [], unknown: ['no command'] };
  expect(unknown, args.join(' ')).toEqual([]);
  expect(operands).toHaveLength(command?.registeredArguments.length ?? 0);
}

/** Runs the tool that reads an example. Where tools are not required, one that is not installed says nothing. */
function verify(tool: string, args: readonly string[]): void {
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error && 'code' in error && error.code === 'ENOENT' && process.env.XSYNC_TEST_TOOLS !== 'required') return;
  expect({ error, status }, `${stdout}${stderr}`).toEqual({ error: undefined, status: 0 });
}

let temporary = '';
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'xsync-examples-'));
});
afterAll(() => rmSync(temporary, { recursive: true }));

/** A copy in which something is replaced by what this host has. */
function adapted(file: string, replaced: Readonly<Record<string, string>>): string {
  const copy = join(temporary, basename(file));
  const content = Object.entries(replaced).reduce((all, [from, to]) => all.replaceAll(from, to), text(file));
  writeFileSync(copy, content);
  return copy;
}

const UNITS = [
  ...['examples/cron/xsync.service', 'examples/systemd/xsync-watch.service'],
  ...['pull', 'push'].map((end) => `examples/containers/systemd/xsync-bridge-${end}.service`),
];

const codes = (value = ''): number[] => value.split(' ').map(Number);

describe('systemd', () => {
  it('counts as success what the next run continues, and nothing that needs a person', () => {
    const service = unit('examples/cron/xsync.service');
    const { temporary, maxDuration, interrupted } = EXIT;
    expect(codes(service.get('SuccessExitStatus')?.[0])).toEqual([temporary, maxDuration, interrupted]);
    expect(service.get('Type')).toEqual(['oneshot']);
    expect(service.has('Restart')).toBe(false);
  });

  it('starts a watch again, whatever ended it, but not for a wrong command line', () => {
    const service = unit('examples/systemd/xsync-watch.service');
    expect(service.get('Restart')).toEqual(['always']);
    expect(codes(service.get('RestartPreventExitStatus')?.[0])).toEqual([EXIT.usage]);
  });

  it.each(['pull', 'push'])('starts the %sing end of a bridge again, with secrets from files of root', (end) => {
    const service = unit(`examples/containers/systemd/xsync-bridge-${end}.service`);
    expect(service.get('Restart')).toEqual(['always']);
    expect(codes(service.get('RestartPreventExitStatus')?.[0])).toEqual([EXIT.usage]);
    const credentials = (service.get('LoadCredential') ?? []).map((each) => each.split(':')[0]);
    expect(credentials).toEqual(['config.yaml', 'bridge.secret']);
  });

  it.each(UNITS)('%s is read by systemd', (file) => {
    verify('systemd-analyze', ['verify', adapted(file, { '/usr/bin/xsync': process.execPath })]);
  });

  it.each(UNITS)('%s runs the installed program with a command line that it takes', (file) => {
    const [program, ...args] = (unit(file).get('ExecStart')?.[0] ?? '').replaceAll('%%', '%').split(' ');
    expect(program).toBe('/usr/bin/xsync');
    understands(args);
  });
});

describe('containers', () => {
  interface Service {
    command?: string[];
    secrets: string[];
    volumes: string[];
    healthcheck: { test: string[] };
    stop_grace_period?: string;
  }
  const compose = (end: string): { services: Record<string, Service>; secrets: object; volumes: object } =>
    parse(text(`examples/containers/${end}/compose.yaml`));
  const nginx = text('examples/containers/pull/nginx.conf');

  it.each(['pull', 'push'])('the compose file of %s is read by docker-compose', (end) => {
    verify('docker-compose', ['--file', `${root}examples/containers/${end}/compose.yaml`, 'config', '--quiet']);
  });

  it.each(['pull', 'push'])('%s has a command line that is taken, its state in a volume, and time to end', (end) => {
    const { services, volumes } = compose(end);
    const { command = [], volumes: mounted, stop_grace_period: grace = '' } = services[end] ?? {};
    understands(command);
    expect(mounted).toEqual(['state:/state']);
    expect(Object.keys(volumes)).toEqual(['state']);
    expect(Number.parseInt(grace, 10)).toBeGreaterThan(20);
    expect(text('examples/Dockerfile')).toContain('XDG_STATE_HOME=/state');
  });

  it.each(['pull', 'push'])('%s has secrets as files, each of which is used', (end) => {
    const { services, secrets } = compose(end);
    const given = Object.values(services).flatMap((service) => service.secrets);
    expect(new Set(given)).toEqual(new Set(Object.keys(secrets)));
    const reading = `${text(`examples/containers/${end}/compose.yaml`)}${nginx}`;
    for (const name of given) expect(reading).toContain(`/run/secrets/${name}`);
  });

  it('each service says whether it is well', () => {
    for (const end of ['pull', 'push']) {
      for (const { healthcheck } of Object.values(compose(end).services))
        expect(healthcheck.test.length).toBeGreaterThan(1);
    }
    understands(compose('push').services.push?.healthcheck.test.slice(2) ?? []);
  });

  it('the proxy passes on what the pulling end takes, and to where it listens', () => {
    expect(compose('pull').services.pull?.command).toContain('--listen=0.0.0.0:7464');
    expect(nginx).toContain('set $pull pull:7464;');
    expect(nginx).toContain(`client_max_body_size ${MOST_BYTES / 1024 ** 2}m;`);
  });

  it('the configuration of the proxy is read by nginx', () => {
    const { cert, key } = new Authority(temporary, 'ca').issue('nginx');
    const file = adapted('examples/containers/pull/nginx.conf', {
      ' /tmp/': ` ${temporary}/`,
      ...{ '/run/secrets/tls_certificate': cert, '/run/secrets/tls_key': key },
      ...{ '/dev/stderr': `${temporary}/error.log`, '/dev/stdout': `${temporary}/access.log` },
    });
    verify('nginx', ['-t', '-e', `${temporary}/error.log`, '-c', file]);
  });
});

describe('Kubernetes', () => {
  const [job] = parseAllDocuments(text('examples/cron/cronjob.yaml')).map((document) => document.toJS());
  const { backoffLimit, podFailurePolicy, template } = job.spec.jobTemplate.spec;
  const [container] = template.spec.containers;

  it('repeats a job after a temporary fault only', () => {
    expect(backoffLimit).toBeGreaterThan(0);
    // A policy is refused with any other restart policy.
    expect(template.spec.restartPolicy).toBe('Never');
    const [, rule] = podFailurePolicy.rules;
    const { containerName, operator, values } = rule.onExitCodes;
    expect({ action: rule.action, containerName, operator }).toEqual({
      action: 'FailJob',
      containerName: container.name,
      operator: 'NotIn',
    });
    const own = new Set<number>(Object.values(EXIT));
    expect(values.filter((code: number) => own.has(code))).toEqual([EXIT.temporary, EXIT.interrupted]);
  });

  it('gives xsync a command line that it takes, and more time to end than it needs', () => {
    understands(container.args);
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5);
    expect(job.spec.concurrencyPolicy).toBe('Forbid');
  });
});

describe('many machines', () => {
  const { services } = parse(text('examples/cluster/compose.yaml'));
  const manifests = parseAllDocuments(text('examples/cluster/kubernetes.yaml')).map((document) => document.toJS());
  const named = (name: string) => manifests.find(({ kind, metadata }) => `${kind}/${metadata.name}` === name).spec;

  it('have command lines that xsync takes, and one coordinator', () => {
    understands(services.coordinator.command);
    understands(services.worker.command);
    const { replicas, template } = named('StatefulSet/xsync-coordinator');
    expect(replicas).toBe(1);
    understands(template.spec.containers[0].args);
    understands(named('Deployment/xsync-worker').template.spec.containers[0].args);
  });

  it('have a compose file that docker-compose reads', () => {
    verify('docker-compose', ['--file', `${root}examples/cluster/compose.yaml`, 'config', '--quiet']);
  });

  it('have a Redis that keeps its jobs, over a restart and when its memory is full', () => {
    const [container] = named('StatefulSet/xsync-redis').template.spec.containers;
    for (const command of [services.redis.command, container.args.join(' ').replaceAll('=', ' ')]) {
      expect(command).toContain('--appendonly yes');
      expect(command).toContain('--maxmemory-policy noeviction');
    }
  });

  it('have workers with more time to end than they take', () => {
    const seconds = (args: string[]) => Number(/--drain-timeout=(\d+)s/.exec(args.join(' '))?.[1]);
    const { terminationGracePeriodSeconds, containers } = named('Deployment/xsync-worker').template.spec;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(seconds(containers[0].args) + 5);
    expect(Number.parseInt(services.worker.stop_grace_period, 10)).toBeGreaterThan(
      seconds(services.worker.command) + 5,
    );
  });

  it('grow with the list of waiting jobs, from none on', () => {
    const { triggers, minReplicaCount } = named('ScaledObject/xsync-worker');
    expect(minReplicaCount).toBe(0);
    expect(triggers[0].metadata.listName).toBe(WAITING);
  });
});

describe('Prometheus', () => {
  const { groups } = parse(text('examples/grafana/alerts.yml'));
  const rules: { alert: string; expr: string; annotations: object }[] = groups[0].rules;

  it('has an alert for a watch that is gone', () => {
    expect(rules.some(({ expr }) => /^absent\(xsync_\w+\{source="[^"]+", destination="[^"]+"\}\)$/.test(expr))).toBe(
      true,
    );
  });

  it.each([
    ...rules.map(({ alert, expr }) => [`the alert ${alert}`, expr]),
    ['the dashboard', text('examples/grafana/xsync.json')],
  ])('%s asks for metrics that exist', (_, expression) => {
    const asked = expression?.match(/xsync_\w+/g) ?? [];
    const names = asked.map((name) => (METRICS.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')));
    expect(names.filter((name) => !METRICS.has(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
  });
});

describe('the package', () => {
  it('has no source maps, whose sources are not in it', () => {
    const args = ['pack', '--dry-run', '--ignore-scripts', '--json'];
    const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }));
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    for (const path of [
      'bin/xsync.js',
      'bin/load.js',
      'bin/package.json',
      'dist/xsync.cjs',
      'dist/LICENSES',
      'dist/index.js',
      'dist/index.d.ts',
    ])
      expect(paths).toContain(path);
    expect(paths.filter((path) => /\.map$|tsbuildinfo$/.test(path))).toEqual([]);
    expect(JSON.parse(text('tsconfig.build.json')).compilerOptions.sourceMap).toBeUndefined();
  });

  it('is built for an image with a Node that xsync supports', () => {
    const images = Array.from(text('examples/Dockerfile').matchAll(/^FROM node:(\d+)/gm), ([, major]) => Number(major));
    expect(images).toEqual([22, 22]);
  });
});

describe('the captured session', () => {
  it.each([80, 140])('fits a terminal of %i columns', (columns) => {
    const [, shown = ''] = text('docs/session.md').split(`## ${columns} columns`)[1]?.split('```') ?? [];
    const rows = shown.split('\n');
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((row) => row.length >= columns)).toEqual([]);
    for (const command of ['copy', 'status', 'failed', 'retry', 'sync']) expect(shown).toContain(`$ xsync ${command}`);
  });
});
