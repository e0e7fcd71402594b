import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addRemote } from '../../src/config/edit.js';
import { loadConfig } from '../../src/config/load.js';
import { importRclone } from '../../src/config/rclone.js';
import { complaint, scratch } from './support.js';

const folder = await scratch();

function remoteOf(lines: string, name = 'r') {
  return importRclone(`[${name}]\n${lines}`, 'rclone.conf');
}

const KEYS = 'access_key_id = id\nsecret_access_key = secret\n';
const keys = { access_key_id: 'id', secret_access_key: 'secret' };

describe('an rclone user keeps their remotes', () => {
  it.each<[string, string, object]>([
    [
      'AWS',
      `type = s3\nprovider = AWS\nregion = eu-west-1\nstorage_class = GLACIER\nsession_token = t\n${KEYS}`,
      { type: 's3', provider: 'aws', region: 'eu-west-1', storage_class: 'GLACIER', session_token: 't', ...keys },
    ],
    [
      'AWS in China',
      `type = s3\nprovider = AWS\nregion = cn-north-1\n${KEYS}`,
      { type: 's3', provider: 'aws-cn', region: 'cn-north-1', ...keys },
    ],
    [
      'a profile',
      'type = s3\nprovider = AWS\nprofile = work\nenv_auth = true\n',
      { type: 's3', provider: 'aws', profile: 'work', env_auth: true },
    ],
    [
      'AWS, accelerated',
      'type = s3\nprovider = AWS\nenv_auth = true\nuse_accelerate_endpoint = true\n',
      { type: 's3', provider: 'aws', env_auth: true, accelerate: 'on' },
    ],
    [
      'MinIO',
      `type = s3\nprovider = Minio\nendpoint = http://127.0.0.1:9000\nforce_path_style = true\nchunk_size = 5M\n${KEYS}`,
      { type: 's3', provider: 'minio', endpoint: 'http://127.0.0.1:9000', force_path_style: true, ...keys },
    ],
    [
      'another provider',
      `type = s3\nprovider = Wasabi\nendpoint = s3.wasabisys.com\n${KEYS}`,
      { type: 's3', provider: 'wasabi', endpoint: 's3.wasabisys.com', ...keys },
    ],
    [
      'OSS',
      `type = s3\nprovider = Alibaba\nendpoint = oss-cn-hangzhou.aliyuncs.com\n${KEYS}`,
      { type: 'oss', region: 'cn-hangzhou', endpoint: 'oss-cn-hangzhou.aliyuncs.com', ...keys },
    ],
    [
      'OSS inside its region',
      `type = s3\nprovider = Alibaba\nendpoint = oss-cn-hangzhou-internal.aliyuncs.com\n${KEYS}`,
      { type: 'oss', region: 'cn-hangzhou', endpoint: 'oss-cn-hangzhou-internal.aliyuncs.com', ...keys },
    ],
    [
      'OSS in disguise',
      `type = s3\nprovider = Other\nendpoint = https://s3.oss-us-west-1.aliyuncs.com\n${KEYS}`,
      { type: 'oss', region: 'us-west-1', endpoint: 'https://oss-us-west-1.aliyuncs.com', ...keys },
    ],
    [
      'OSS, accelerated',
      `type = s3\nprovider = Alibaba\nregion = oss-cn-beijing\nendpoint = oss-accelerate-overseas.aliyuncs.com\n${KEYS}`,
      { type: 'oss', region: 'cn-beijing', accelerate: 'on', accelerate_endpoint: 'overseas', ...keys },
    ],
    [
      'a key of the customer',
      `type = s3\nprovider = Minio\nendpoint = https://m\nsse_customer_algorithm = AES256\nsse_customer_key = 0123456789abcdef0123456789abcdef\nsse_customer_key_md5 = x\n${KEYS}`,
      {
        ...{ type: 's3', provider: 'minio', endpoint: 'https://m', ...keys },
        sse_customer_key: '0123456789abcdef0123456789abcdef',
      },
    ],
    ['disk', 'type = local\ncopy_links = true\n', { type: 'local', copy_links: true }],
  ])('%s', (_, lines, settings) => {
    expect(remoteOf(lines)).toEqual({ remotes: [{ name: 'r', original: 'r', settings, notes: [] }], notImported: [] });
  });

  it('and is told what changed on the way', () => {
    const [remote] = remoteOf(`type = s3\nprovider = AWS\nacl = private\nsts_endpoint = x\n${KEYS}`, 'my lab').remotes;
    expect(remote?.name).toBe('my-lab');
    expect(remote?.notes).toEqual([
      'Renamed: a name may contain letters, digits, "_", "." and "-", not starting with "-".',
      'Not imported: sts_endpoint.',
    ]);
  });

  it('a secret with dollar and brace in it arrives unchanged', async () => {
    const secret = `a\${b}$\${c}=d #e: "f"`;
    const [remote] = remoteOf(`type = s3\nprovider = AWS\naccess_key_id = id\nsecret_access_key = ${secret}\n`).remotes;
    const file = join(folder, 'config.yaml');
    await addRemote(file, 'r', remote?.settings ?? {});
    expect((await loadConfig({ file, env: {} })).remotes.r).toMatchObject({ secret_access_key: secret });
  });
});

describe('what cannot come over is listed with its reason', () => {
  it.each([
    ['type = drive\n', 'xsync does not support rclone\'s type "drive"'],
    ['foo = bar\n', 'it has no type'],
    [
      'type = s3\nprovider = AWS\n',
      'it has no credentials; rclone reads public buckets anonymously, but xsync requires credentials',
    ],
    [
      `type = s3\nprovider = Alibaba\nendpoint = oss-accelerate.aliyuncs.com\n${KEYS}`,
      'its endpoint "oss-accelerate.aliyuncs.com" does not name the region, which OSS requires; add this remote by hand with its region',
    ],
    [`type = s3\nprovider = Minio\n${KEYS}`, 'remote "r" lacks endpoint: provider minio needs an endpoint'],
    [
      `type = s3\nprovider = Alibaba\nendpoint = oss-cn-hangzhou.aliyuncs.com\nsse_customer_key = k\n${KEYS}`,
      'OSS offers no encryption with keys of its customers: use server_side_encryption: KMS and sse_kms_key_id',
    ],
    [
      `type = s3\nprovider = AWS\nsse_customer_algorithm = ROT13\nsse_customer_key = k\n${KEYS}`,
      'it has the unknown sse_customer_algorithm "ROT13"',
    ],
  ])('%j', (lines, reason) => {
    expect(remoteOf(lines)).toEqual({ remotes: [], notImported: [{ name: 'r', reason }] });
  });

  it('two names that would become one', () => {
    const both = importRclone('[a b]\ntype = local\n[a-b]\ntype = local\n', 'rclone.conf');
    expect(both.notImported).toEqual([{ name: 'a-b', reason: 'another remote has its name in xsync, "a-b"' }]);
  });
});

it('a file that cannot be read as one says why and where', async () => {
  const read = (text: string) => complaint('\0', () => importRclone(text, 'rclone.conf'));
  expect(await read('# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabc')).toBe(
    'config: rclone.conf is encrypted by rclone → Decrypt it first: run "(umask 077; rclone config show > plain.conf)", import plain.conf, then delete it.',
  );
  expect(await read('; ok\n[a]\ntype = s3\nhushhush\n')).toBe(
    'config: rclone.conf:4: neither [remote] nor key = value',
  );
  expect(await read('type = s3\n')).toBe('config: rclone.conf:1: a setting before the first [remote]');
});
