import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backendOf } from '../../src/config/schema.js';
import { judgeAcceleration } from '../../src/doctor/acceleration.js';
import { describeCredentials } from '../../src/doctor/credentials.js';
import { judgeConfig, judgeDirectory, judgeFolder, lookAtDirectory } from '../../src/doctor/directories.js';
import type { Finding } from '../../src/doctor/finding.js';
import { type CongestionFacts, type HostFacts, judgeCongestion, judgeHost } from '../../src/doctor/host.js';
import { largestBuffer } from '../../src/doctor/host-facts.js';
import { binarySize, megabits, milliseconds, roughly } from '../../src/doctor/text.js';
import { XsyncError } from '../../src/model/error.js';
import type { DoctorRules, RemoteConfig } from '../../src/store/backend.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const cubic: CongestionFacts = {
  linux: true,
  current: 'cubic',
  allowed: ['reno', 'cubic'],
  available: ['reno', 'cubic'],
  koffi: true,
  sets: false,
};

const good: HostFacts = {
  node: '20.19.0',
  system: 'Linux 6.1.0, x64',
  congestion: { ...cubic, current: 'bbr' },
  sendBuffer: 4 * MIB,
  receiveBuffer: 6 * MIB,
  openFiles: 1024,
  wantedFiles: 600,
  proxies: [],
};

function of(facts: Partial<HostFacts>, check: string): Finding | undefined {
  return judgeHost({ ...good, ...facts }).find((finding) => finding.check === check);
}

describe('congestion control', () => {
  it('gives both commands where the kernel has bbr only as a module, so that they can be pasted', () => {
    const { level, commands } = judgeCongestion(cubic);
    expect(level).toBe('warn');
    expect(commands).toEqual([
      'modprobe tcp_bbr',
      'sysctl -w net.ipv4.tcp_allowed_congestion_control="reno cubic bbr"',
    ]);
  });

  it('gives one command where bbr is loaded and not allowed, and keeps what was allowed before', () => {
    const { commands } = judgeCongestion({ ...cubic, allowed: ['vegas'], available: ['reno', 'cubic', 'bbr'] });
    expect(commands).toEqual(['sysctl -w net.ipv4.tcp_allowed_congestion_control="vegas bbr"']);
  });

  it.each<[string, Partial<CongestionFacts>, Finding['level'], RegExp]>([
    ['is content with a host that sends with bbr', { current: 'bbr' }, 'ok', /default/],
    ['is content when xsync may set it', { sets: true }, 'ok', /xsync sets bbr/],
    ['sends nobody to root when only koffi is missing', { allowed: ['bbr'], koffi: false }, 'warn', /bbr/],
    ['has nothing to say off Linux', { linux: false }, 'skip', /Linux only/],
  ])('%s', (_, facts, level, found) => {
    const finding = judgeCongestion({ ...cubic, ...facts });
    expect(finding).toMatchObject({ level, found: expect.stringMatching(found) });
    expect(finding.commands).toBeUndefined();
  });
});

describe('the host', () => {
  it('is not complained of when it is well', () => {
    expect(judgeHost(good).filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  it.each([
    ['18.20.1', 'fail'],
    ['20.18.9', 'fail'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
  ])('judges Node %s as package.json does: %s', (node, level) => {
    expect(of({ node }, 'node')?.level).toBe(level);
  });

  it('says what its socket buffers cost on a long line', () => {
    expect(of({}, 'buffers')?.found).toBe(
      '4 MiB to send, 6 MiB to receive; over 200 ms a connection carries at most 168 Mbit/s up, 126 Mbit/s down',
    );
    expect(of({ sendBuffer: MIB }, 'buffers')).toMatchObject({ level: 'warn', commands: [/wmem/, /rmem/].map(match) });
    expect(of({ sendBuffer: undefined }, 'buffers')).toBeUndefined();
  });

  it('warns before a run would be out of open files', () => {
    expect(of({ openFiles: 256 }, 'files')).toMatchObject({ level: 'warn', commands: ['ulimit -n 4096'] });
    expect(of({ openFiles: Number.POSITIVE_INFINITY }, 'files')?.level).toBe('ok');
    expect(of({ openFiles: undefined }, 'files')?.level).toBe('skip');
  });

  it('says that a proxy is used, by the name of its variable and without its password', () => {
    expect(of({ proxies: ['HTTPS_PROXY'] }, 'proxy')).toMatchObject({ level: 'ok', found: match(/HTTPS_PROXY/) });
    expect(of({}, 'proxy')).toBeUndefined();
  });
});

const match = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe('what /proc says', () => {
  it.each([
    ['4096\t16384\t4194304\n', 4194304],
    ['4096 131072 6291456', 6291456],
    ['', undefined],
    ['4096 many 6291456', undefined],
  ])('reads the largest buffer of %j', (text, bytes) => expect(largestBuffer(text)).toBe(bytes));
});

describe('directories and the config', () => {
  const facts = { path: '/state', exists: true, writable: true, freeBytes: 20 * GIB };

  it('fails a state directory that cannot be written to: no run could keep a manifest', () => {
    expect(judgeDirectory('state', { ...facts, writable: false })).toMatchObject({ level: 'fail', remedy: match(/./) });
    expect(judgeDirectory('state', { ...facts, freeBytes: 100 * MIB }).level).toBe('warn');
    expect(judgeDirectory('state', { ...facts, exists: false }).found).toBe('/state: does not exist yet, 20 GiB free');
  });

  it('fails a place where no folder can be: a file, below a file, and a loop of symbolic links', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'xsync-doctor-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'file'), '', { mode: 0o755 });
    await symlink('loop', join(folder, 'loop'));
    const judge = async (name: string) => {
      const { level, found } = judgeDirectory('state', await lookAtDirectory(join(folder, name)));
      return [level, found.replaceAll(folder, '')];
    };
    expect(await judge('file')).toEqual(['fail', '/file is a file, not a folder']);
    expect(await judge('file/xsync')).toEqual(['fail', '/file is a file, so /file/xsync cannot be a folder']);
    expect(await judge('loop/xsync')).toEqual([
      'fail',
      '/loop/xsync cannot be used: too many symbolic links encountered',
    ]);
    expect(await judge('new/xsync')).toEqual(['ok', expect.stringContaining('/new/xsync: does not exist yet, ')]);
  });

  it('lets a source be read-only', () => {
    expect(judgeFolder({ ...facts, writable: false })).toMatchObject({ level: 'warn', remedy: match(/destination/) });
    expect(judgeFolder(facts).level).toBe('ok');
  });

  it('passes on why the config cannot be used, and what mends it', () => {
    const error = new XsyncError('config', '/c contains secrets but is open to other users', {
      remedy: 'chmod 600 /c',
    });
    const finding = judgeConfig({ path: '/c', mode: 0o644, remotes: [], error });
    expect(finding).toMatchObject({ level: 'fail', found: error.message, remedy: 'chmod 600 /c' });
    expect(judgeConfig({ path: '/c', mode: 0o600, remotes: ['a', 'b'] }).found).toBe('/c: 2 remotes, mode 0600');
    expect(judgeConfig({ path: '/c', remotes: [] }).found).toBe('no file at /c: no remotes');
  });
});

function rulesOf(remote: RemoteConfig): DoctorRules {
  const { doctor } = backendOf(remote);
  if (doctor === undefined) throw new Error(`no rules for ${remote.type}`);
  return doctor;
}

describe('credentials', () => {
  const s3 = { type: 's3' };

  it.each<[RemoteConfig, NodeJS.ProcessEnv, string]>([
    [{ ...s3, access_key_id: 'AKIAHIDDEN' }, {}, 'static keys'],
    [{ ...s3, access_key_id: 'AKIAHIDDEN', session_token: 'x' }, {}, 'static temporary keys'],
    [{ ...s3, profile: 'work' }, { AWS_ACCESS_KEY_ID: 'AKIAHIDDEN' }, 'AWS profile "work"'],
    [s3, { AWS_PROFILE: 'home', AWS_ACCESS_KEY_ID: 'AKIAHIDDEN' }, 'AWS profile "home" (AWS_PROFILE)'],
    [s3, { AWS_ACCESS_KEY_ID: 'AKIAHIDDEN' }, 'environment (AWS_ACCESS_KEY_ID)'],
    [s3, { AWS_WEB_IDENTITY_TOKEN_FILE: '/t' }, 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE)'],
    [s3, {}, 'AWS chain (shared config, SSO, role of the machine)'],
    [{ type: 'oss' }, { OSS_ACCESS_KEY_ID: 'LTAIHIDDEN' }, 'environment (OSS_ACCESS_KEY_ID)'],
    [{ type: 'oss' }, { ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI' }, 'environment (ALIBABA_CLOUD_ACCESS_KEY_ID)'],
  ])('are told by their kind, never shown: %j %j', (remote, env, text) => {
    expect(describeCredentials(remote, rulesOf(remote), env)).toBe(text);
  });
});

describe('acceleration', () => {
  it.each<['auto' | 'on' | 'off', string, Finding['level'], string]>([
    [
      'off',
      'on: 34 ms per request vs 80 ms',
      'ok',
      'would help: 34 ms per request vs 80 ms (accelerate: auto; billed per GB)',
    ],
    ['auto', 'on: 34 ms per request vs 80 ms', 'ok', '34 ms per request vs 80 ms'],
    ['off', 'off: it is not faster from here', 'ok', 'no benefit: it is not faster from here'],
    ['on', 'off: the bucket name has dots', 'warn', 'on, but no benefit: the bucket name has dots'],
  ])('configured %s, measured "%s"', (configured, chosen, level, found) => {
    expect(judgeAcceleration(configured, chosen)).toMatchObject({ level, found });
  });

  it('is looked for only where it exists', () => {
    const configured = (settings: RemoteConfig) => {
      const remote = { ...settings, accelerate: 'off' };
      return rulesOf(remote).acceleration(remote);
    };
    expect(configured({ type: 's3' })).toBe('off');
    expect(configured({ type: 's3', provider: 'aws-cn' })).toBeUndefined();
    expect(configured({ type: 's3', endpoint: 'https://minio.example' })).toBeUndefined();
    expect(configured({ type: 'oss', endpoint: 'https://oss-cn-beijing.aliyuncs.com' })).toBe('off');
    expect(configured({ type: 'oss', endpoint: 'http://127.0.0.1:9000' })).toBeUndefined();
  });
});

describe('numbers', () => {
  it('are short', () => {
    expect([0, 1023, 1536, 4 * MIB, 77.84 * GIB, 1023.99 * GIB].map(binarySize)).toEqual([
      '0 B',
      '1023 B',
      '1.5 KiB',
      '4 MiB',
      '77.8 GiB',
      '1 TiB',
    ]);
    expect([0.42, 12.3, 999.6].map(milliseconds)).toEqual(['0.4 ms', '12 ms', '1.0 s']);
    expect([megabits(MIB, 8000), megabits(4 * MIB, 200), megabits(GIB, 1000)]).toEqual([
      '1.0 Mbit/s',
      '168 Mbit/s',
      '8.6 Gbit/s',
    ]);
    expect([3_000, 120_000, -7_200_000, 3 * 86_400_000].map(roughly)).toEqual(['3 s', '2 min', '2 h', '3 days']);
  });
});
