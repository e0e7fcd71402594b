import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toXsyncError } from '../../src/model/error.js';
import { prepareRules } from '../../src/open/rules.js';

let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'xsync-rules-'));
  env = {
    HOME: home,
    XDG_STATE_HOME: home,
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const REMOTES = {
  east: { type: 's3', provider: 'aws', region: 'us-east-1', access_key_id: 'a', secret_access_key: 'b' },
  dual: {
    type: 's3',
    provider: 'aws',
    region: 'us-east-1',
    use_dualstack_endpoint: true,
    access_key_id: 'a',
    secret_access_key: 'b',
  },
  china: { type: 's3', provider: 'aws-cn', region: 'cn-north-1', access_key_id: 'a', secret_access_key: 'b' },
  lab: { type: 's3', provider: 'minio', endpoint: 'http://127.0.0.1:9000', access_key_id: 'a', secret_access_key: 'b' },
  lab2: {
    type: 's3',
    provider: 'minio',
    endpoint: 'http://localhost:9000',
    access_key_id: 'c',
    secret_access_key: 'd',
  },
  oss: { type: 'oss', region: 'cn-shanghai', access_key_id: 'a', secret_access_key: 'b' },
  inside: { type: 'oss', region: 'cn-shanghai', internal: true, access_key_id: 'a', secret_access_key: 'b' },
  byS3: {
    type: 's3',
    provider: 'oss',
    endpoint: 'https://s3.oss-cn-shanghai.aliyuncs.com',
    region: 'cn-shanghai',
    access_key_id: 'a',
    secret_access_key: 'b',
  },
};

function prepare(rules: object, options: { names?: string[]; runs?: boolean } = {}) {
  const config = join(home, 'config.yaml');
  writeFileSync(config, JSON.stringify({ remotes: REMOTES, rules }), { mode: 0o600 });
  return prepareRules({ config, env, runs: false, ...options });
}

async function complaint(rules: object): Promise<string> {
  return prepare(rules).then(
    () => 'none',
    (error) => toXsyncError(error).message.replaceAll(home, ''),
  );
}

describe('loops', () => {
  test.each([
    ['other endpoints of AWS', 'east:x', 'lab:y', 'lab2:y', 'dual:x'],
    ['OSS inside and outside', 'oss:x', 'east:y', 's3://y', 'inside:x'],
    ['OSS as S3', 'oss:x', 'east:y', 'east:y', 'byS3:x'],
    ['two names of one host', 'lab:x', 'east:y', 'east:y', 'lab2:x'],
    ['two names of one folder', './a', 'east:y', 'east:y', './b/../a'],
  ])('%s', async (_, from, to, back, home) => {
    const rules = { there: { source: from, destination: to }, again: { source: back, destination: home } };
    expect(await complaint(rules)).toContain(
      `rule "there": copies in a circle with "again": ${from} → ${back} → ${from}; write one rule with "mode: mirror" for both directions, or select different prefixes`,
    );
  });

  test.each([
    ['a mirror', { m: { source: 'east:x', destination: 'lab:y', mode: 'mirror' } }],
    [
      'buckets of one name in two partitions',
      { a: { source: 'east:x', destination: 'oss:y' }, b: { source: 'oss:y', destination: 'china:x' } },
    ],
    [
      'a rule that is not enabled',
      { a: { source: 'east:x', destination: 'oss:y' }, b: { source: 'oss:y', destination: 'east:x', enabled: false } },
    ],
    [
      'folders beside each other',
      { a: { source: './a', destination: './ab' }, b: { source: './ab', destination: './abc' } },
    ],
  ])('%s is none', async (_, rules) => {
    expect(await complaint(rules)).toBe('none');
  });
});

test('every error has its place, and what to do', async () => {
  const message = await complaint({
    a: { source: 'nowhere:x', destination: 'oss:y' },
    b: { source: 'east:x', destination: 'oss:y', compare: 'size-only', ignoreSize: true },
    c: { source: 'east:x', destination: 'oss:z' },
    d: { source: 'east:x', destination: 'oss:z', prefixes: ['p'] },
  });
  const [a, b, c, ...more] = message.split('\n');
  expect(a).toMatch(/^\/config\.yaml:1:\d+: rule "a": there is no remote "nowhere"/);
  expect(b).toMatch(/rule "b": --size-only and --ignore-size contradict each other; Choose one of them\./);
  expect(c).toMatch(/rule "c": is the same pair as rule "d", east:x → oss:z, and a pair has one manifest; join them/);
  expect(more).toEqual([]);
});

test('chains and overlaps are told, and the chosen rules alone are run', async () => {
  const rules = {
    a: { source: 'east:x', destination: 'oss:y' },
    b: { source: 'oss:y/sub', destination: ['china:z', 'lab:z'], priority: 1 },
    c: { source: 'east:other', destination: 'oss:y/sub/deep' },
  };
  const { pairs, findings, rules: all } = await prepare(rules);
  expect(all.map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  expect(pairs.map(({ rule, index }) => `${rule.name}${index}`)).toEqual(['b0', 'b1', 'a0', 'c0']);
  expect(findings.map(({ type, arcs }) => `${type} ${arcs.map(({ rule }) => rule).join(' ')}`)).toEqual([
    'overlap a c',
    'chain a b',
    'chain c b',
  ]);
  expect((await prepare(rules, { names: ['c'] })).pairs.map(({ rule }) => rule.name)).toEqual(['c']);
  await expect(prepare(rules, { names: ['d'] })).rejects.toThrow('there is no rule "d"; the rules are b, a, c');
});

test('what a rule without history leaves out is decided when it is first run, and stays', async () => {
  const rules = { a: { source: 'east:x', destination: 'oss:y', historical: false } };
  const since = async (runs: boolean) => (await prepare(rules, { runs })).pairs[0]?.job;
  const before = Date.now();
  await since(false);
  const first = await since(true);
  expect(first).toMatchObject({ maxAge: expect.any(Number) });
  const { maxAge = 0 } = first && 'maxAge' in first ? first : {};
  expect(maxAge).toBeGreaterThanOrEqual(before);
  expect(await since(true)).toMatchObject({ maxAge });
  expect(await since(false)).toMatchObject({ maxAge });
});

test('a rule without history has the same start under another name, with other destinations, and after a power loss', async () => {
  const a = { source: 'east:x', destination: ['oss:y', 'lab:y'], historical: false };
  const ages = async (rules: object) =>
    (await prepare(rules, { runs: true })).pairs.map(({ job }) => 'maxAge' in job && job.maxAge);
  const [first] = await ages({ a });
  const files = readdirSync(join(home, 'xsync'))
    .filter((name) => name.endsWith('.since'))
    .map((name) => join(home, 'xsync', name));
  const atMs = Date.parse('2026-02-03T04:05:06Z');
  for (const file of files) writeFileSync(file, new Date(atMs).toISOString());
  expect(await ages({ b: { ...a, destination: 'lab:y' } })).toEqual([atMs]);
  expect(await ages({ b: { ...a, destination: ['lab:z', 'oss:z'] } })).toEqual([atMs, atMs]);
  const [c, other] = await ages({ c: { ...a, destination: 'oss:z' }, other: { ...a, source: 'lab:x' } });
  expect([c, other === atMs]).toEqual([atMs, false]);
  for (const name of readdirSync(join(home, 'xsync'))) {
    writeFileSync(join(home, 'xsync', name), '');
    utimesSync(join(home, 'xsync', name), 7, 7);
  }
  expect([typeof first, await ages({ a })]).toEqual(['number', [7000, 7000]]);
});

test('the fingerprint changes with the rule and its remotes, and with nothing else', async () => {
  const rules = (change: object) => ({
    z: { source: 'oss:q', destination: 'east:q' },
    a: { source: 'east:x', destination: 'oss:y', minAge: '1d', ...change },
  });
  const of = async (change: object) =>
    (await prepare(rules(change))).pairs.find(({ rule }) => rule.name === 'a')?.fingerprint;
  const before = await of({});
  expect(await of({})).toBe(before);
  expect(await of({ priority: 1 })).not.toBe(before);
  const { region } = REMOTES.oss;
  REMOTES.oss.region = 'cn-beijing';
  expect(await of({})).not.toBe(before);
  REMOTES.oss.region = region;
});
