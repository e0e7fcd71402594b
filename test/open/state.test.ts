/** One OSS bucket is one place, whichever of its endpoints leads there, and keeps the manifest of an earlier version. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { pairId } from '../../src/manifest/pair.js';
import type { PairIdentity, PlaceIdentity } from '../../src/manifest/port.js';
import { openManifest } from '../../src/manifest/sqlite/open.js';
import { lookingSettings } from '../../src/open/known.js';
import type { OpenSide } from '../../src/open/settings.js';
import { Opener } from '../../src/open/sides.js';
import { stateDirectory, stateOf } from '../../src/open/state.js';

const KEYS = { access_key_id: 'id', secret_access_key: 'secret' };
const HOME = 'https://oss-cn-shanghai.aliyuncs.com';

let home: string;
let env: NodeJS.ProcessEnv;
let open: OpenSide[];
let dest: OpenSide;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'xsync-state-'));
  env = { HOME: home, XDG_STATE_HOME: join(home, 'state') };
  open = [];
  dest = await side({ region: 'cn-shanghai' }, `${home}/`);
});

afterEach(async () => {
  await Promise.all(open.map((side) => side.close()));
  rmSync(home, { recursive: true, force: true });
});

/** The side `r:photos` of a remote with these settings, or a local one. */
async function side(remote: Record<string, string>, text = 'r:photos'): Promise<OpenSide> {
  const set = Object.entries({ type: 'oss', ...KEYS, ...remote });
  const variables = Object.fromEntries(set.map(([name, value]) => [`XSYNC_CONFIG_R_${name.toUpperCase()}`, value]));
  const own = { ...env, ...variables };
  const config = await loadConfig({ file: undefined, env: own });
  const opened = await new Opener(
    { ...lookingSettings(own, {}), accelerate: 'off', congestion: 'system' },
    config,
  ).side(text);
  open.push(opened);
  return opened;
}

const WAYS: Record<string, Record<string, string>> = {
  'its public endpoint': { region: 'cn-shanghai' },
  'that endpoint by name': { endpoint: 'oss-cn-shanghai.aliyuncs.com' },
  http: { endpoint: 'http://oss-cn-shanghai.aliyuncs.com' },
  'internal: true': { region: 'oss-cn-shanghai', internal: 'true' },
  'the internal endpoint': { endpoint: 'oss-cn-shanghai-internal.aliyuncs.com' },
  'the VPC endpoint': { endpoint: 'vpc100-oss-cn-shanghai.aliyuncs.com' },
  'the dual-stack endpoint': { endpoint: 'cn-shanghai.oss.aliyuncs.com' },
  'the accelerated endpoint': { endpoint: 'oss-accelerate.aliyuncs.com', region: 'cn-shanghai' },
  'the overseas accelerated endpoint': { endpoint: 'oss-accelerate-overseas.aliyuncs.com', region: 'cn-shanghai' },
  'accelerate: on': { region: 'cn-shanghai', accelerate: 'on' },
  'a domain of its own': { endpoint: 'img.example.com', cname: 'true', region: 'cn-shanghai' },
  'its name as a domain': { endpoint: 'photos.oss-cn-shanghai.aliyuncs.com', cname: 'true' },
};

describe('one bucket by way of', () => {
  test.each(Object.entries(WAYS))('%s', async (_way, remote) => {
    const oss = await side(remote);
    const named = await side({ region: 'cn-shanghai' });
    expect(oss.store.identity.endpoint).toBe(HOME);
    expect(stateOf({ source: oss, dest }, { env })).toEqual(stateOf({ source: named, dest }, { env }));
    expect(oss.store.copyableFrom(named.store)).toBe(true);
  });

  test.each([
    ['another region', { region: 'cn-beijing' }],
    ['the accelerated endpoint of another region', { endpoint: 'oss-accelerate.aliyuncs.com', region: 'cn-beijing' }],
    ['another service', { endpoint: 'oss.example.com', region: 'cn-shanghai' }],
  ])('%s is another', async (_way, remote) => {
    const oss = await side(remote);
    const named = await side({ region: 'cn-shanghai' });
    expect(oss.store.identity.endpoint).not.toBe(HOME);
    expect(oss.store.copyableFrom(named.store)).toBe(false);
  });
});

function placeOf({ store, prefix }: OpenSide): PlaceIdentity {
  const { kind, endpoint, bucket } = store.identity;
  return { kind, endpoint, bucket, prefix };
}

function manifestAt(endpoint: string, file?: string): PairIdentity {
  const pair = { source: { kind: 'oss', endpoint, bucket: 'photos', prefix: '' }, dest: placeOf(dest) };
  openManifest(file ?? join(stateDirectory(env), `${pairId(pair)}.db`), pair).close();
  return pair;
}

describe('a manifest that was kept under', () => {
  test.each([
    ['https://oss-cn-shanghai-internal.aliyuncs.com', { region: 'cn-shanghai', internal: 'true' }],
    ['https://oss-cn-shanghai-internal.aliyuncs.com', { region: 'cn-shanghai' }],
    ['http://oss-cn-shanghai.aliyuncs.com', { region: 'cn-shanghai' }],
    ['https://oss-accelerate.aliyuncs.com', { endpoint: 'oss-accelerate.aliyuncs.com', region: 'cn-shanghai' }],
    ['https://cn-shanghai.oss.aliyuncs.com', { endpoint: 'cn-shanghai.oss.aliyuncs.com' }],
    ['https://img.example.com', { endpoint: 'img.example.com', cname: 'true', region: 'cn-shanghai' }],
  ])('%s is found', async (endpoint, remote) => {
    const pair = manifestAt(endpoint);
    const found = stateOf({ source: await side(remote), dest }, { env });
    expect(found.pair).toEqual(pair);
    expect(existsSync(found.file)).toBe(true);
  });

  test('two names: the present one is used', async () => {
    manifestAt('https://oss-cn-shanghai-internal.aliyuncs.com');
    const pair = manifestAt(HOME);
    const source = await side({ region: 'cn-shanghai', internal: 'true' });
    expect(stateOf({ source, dest }, { env }).pair).toEqual(pair);
  });

  test('an earlier name, in a file that the user chose', async () => {
    const manifest = join(home, 'own.db');
    const pair = manifestAt('https://oss-cn-shanghai-internal.aliyuncs.com', manifest);
    const source = await side({ region: 'cn-shanghai', internal: 'true' });
    expect(stateOf({ source, dest }, { env, manifest })).toEqual({ pair, file: manifest });
  });

  test('the name of another region is not', async () => {
    manifestAt('https://oss-cn-beijing-internal.aliyuncs.com');
    const { file } = stateOf({ source: await side({ region: 'cn-shanghai' }), dest }, { env });
    expect(existsSync(file)).toBe(false);
  });
});
