import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseListenAddress } from '../../src/inbound/address.js';
import { EventFile } from '../../src/observe/lines.js';
import type { ReplicationEvent } from '../../src/observe/replication-event.js';
import { openTarget } from '../../src/observe/targets.js';

const event = (id: string): ReplicationEvent => ({
  id,
  type: 'ObjectCreated',
  at: '2026-11-21T00:00:00.000Z',
  pair: { source: 'a', destination: 'b' },
  lagMs: 1499.7,
  key: 'line\nbreak',
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-notify-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const idsIn = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as ReplicationEvent).id);

describe('a file of events', () => {
  it('is appended to, a line each, and only its owner can read it', async () => {
    const path = join(directory, 'events');
    for (const id of ['1', '2']) {
      const file = new EventFile(path, () => undefined);
      file.send(event(id));
      expect(idsIn(path).at(-1)).toBe(id);
      await file.close();
    }
    expect(idsIn(path)).toEqual(['1', '2']);
    expect(readFileSync(path, 'utf8'), 'fractions of a millisecond').toContain('"lagMs":1500,');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is begun anew when log rotation has moved it away, so that nothing goes to an archive', async () => {
    const path = join(directory, 'events');
    const clock = { ms: 0 };
    const file = new EventFile(
      path,
      () => undefined,
      () => clock.ms,
    );
    file.send(event('1'));
    renameSync(path, `${path}.1`);
    clock.ms = 1000;
    file.send(event('2'));
    file.send(event('3'));
    await file.close();
    expect([idsIn(`${path}.1`), idsIn(path)]).toEqual([['1'], ['2', '3']]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written any more ends no run; it is said once and counted', async () => {
    const path = join(directory, 'sub');
    const said: string[] = [];
    const file = new EventFile('/dev/full', (message) => said.push(message));
    file.send(event('1'));
    file.send(event('2'));
    await file.close();
    expect(file.counts).toMatchObject({ delivered: 0, dropped: 2 });
    expect(said).toEqual([
      '--notify: events are lost because /dev/full cannot be written: no space left on device',
      '--notify: 2 events were not written to /dev/full',
    ]);
    expect(() => new EventFile(join(path, 'x'), () => undefined)).toThrow(
      /^--notify: the file .*sub\/x cannot be opened: no such file or directory$/,
    );
  });
});

describe('a target', () => {
  const world = { write: () => undefined, env: {}, warn: () => undefined };
  const refused = (text: string, env = {}): string => {
    try {
      openTarget(text, { ...world, env });
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is refused when it is none, without showing the secret that its address may hold', () => {
    for (const text of ['', 'file:', 'events.json', 'ftp://host/s3cr3t', 'https://', 'http:/s3cr3t']) {
      expect(refused(text)).toMatch(/^--notify takes "-"/);
      expect(refused(text)).not.toContain('s3cr3t');
    }
  });

  it('has no password in its address, which every process list would show', () => {
    expect(refused('https://me:pw@host/hook')).toBe(
      '--notify: a name or password in the address would be seen by everybody on this host',
    );
  });

  it('is not signed with a secret that can be guessed', () => {
    expect(refused('https://host/hook', { XSYNC_NOTIFY_SECRET: 'short' })).toBe(
      'the secret in XSYNC_NOTIFY_SECRET is shorter than 16 characters',
    );
    expect(refused('https://host/hook', { XSYNC_NOTIFY_SECRET: '0123456789abcdef' })).toBe('taken');
  });
});

describe('the address of the metrics', () => {
  it.each([
    [':9090', '127.0.0.1', 9090],
    ['9090', '127.0.0.1', 9090],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::1]:80', '::1', 80],
    ['[::]:80', '::', 80],
    ['metrics.local:80', 'metrics.local', 80],
  ])('%s serves this machine alone unless a host is given', (text, host, port) => {
    expect(parseListenAddress('--metrics-addr', text)).toEqual({ host, port });
  });

  it.each(['', 'localhost', ':', ':65536', ':-1', '::1:80', 'http://host:80', 'host:80/metrics', 'a b:80'])(
    '"%s" is refused',
    (text) => {
      expect(() => parseListenAddress('--metrics-addr', text)).toThrow(
        `--metrics-addr: "${text}" is not an address such as :9090, 0.0.0.0:9090 or [::1]:9090`,
      );
    },
  );
});
