import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/store/http/message.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { addressesOf } from '../../../src/store/s3/address.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';

/** Shows what would be sent. */
class Shown extends HttpTransport {
  requests: HttpRequest[] = [];

  constructor() {
    super({ userAgent: 'test' });
  }

  override async request(request: HttpRequest): Promise<never> {
    this.requests.push(request);
    throw new Error('not sent');
  }
}

const KEYS = { access_key_id: 'AKID', secret_access_key: 'secret' };
const parse = (more: object) => s3ConfigSchema.parse({ type: 's3', ...KEYS, ...more });

interface Sent {
  url: string;
  region: string | undefined;
  service: string | undefined;
}

/** Region and service of a signature. */
function scopeOf(authorization = ''): Pick<Sent, 'region' | 'service'> {
  const [, , region, service] = /Credential=([^,]+)/.exec(authorization)?.[1]?.split('/') ?? [];
  return { region, service };
}

/** What the lean store sends for a listing and for an object. */
async function ours(config: object, bucket: string): Promise<Sent[]> {
  const transport = new Shown();
  const store = createS3Store(parse(config), bucket, { transport });
  await store.list({}).catch(() => {});
  await store.read('a b/k+ü', new Uint8Array(1)).catch(() => {});
  return transport.requests.map(({ origin, path, headers }) => {
    expect(headers.host).toBe(new URL(origin).host);
    return { url: `${origin}${path.replace(/\?.*/, '')}`, ...scopeOf(headers.authorization) };
  });
}

/** What the AWS SDK sends. */
async function theirs(config: object, bucket: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  const client = new S3Client({
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
    maxAttempts: 1,
    useArnRegion: true,
    requestHandler: {
      handle: async (request: {
        protocol: string;
        hostname: string;
        port?: number;
        path: string;
        headers: Record<string, string>;
      }) => {
        const { protocol, hostname, port, path, headers } = request;
        sent.push({
          url: `${protocol}//${hostname}${port ? `:${port}` : ''}${path}`,
          ...scopeOf(headers.authorization),
        });
        throw new Error('not sent');
      },
    } as never,
    ...config,
  });
  await client.send(new ListObjectsV2Command({ Bucket: bucket })).catch(() => {});
  await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'a b/k+ü' })).catch(() => {});
  return sent;
}

/** A bucket without a key is `/path/` in the SDK and `/path` here; servers do not tell them apart. */
const bare = (sent: Sent[]) => sent.map((one) => ({ ...one, url: one.url.replace(/\/$/, '') }));

const REGIONS = [
  'us-east-1',
  'eu-west-1',
  'cn-north-1',
  'cn-northwest-1',
  'us-gov-west-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
  'eusc-de-east-1',
  'aws-global',
  'xx-newer-7',
];

describe('AWS is asked where the SDK asks it', () => {
  for (const region of REGIONS) {
    for (const dualstack of [false, true]) {
      for (const fips of region.startsWith('cn-') ? [false] : [false, true]) {
        for (const bucket of ['plain-bucket', 'dotted.bucket']) {
          it(`${region}, ${bucket}${dualstack ? ', dual stack' : ''}${fips ? ', FIPS' : ''}`, async () => {
            const config = { region, use_dualstack_endpoint: dualstack, use_fips_endpoint: fips };
            const sdk = { region, useDualstackEndpoint: dualstack, useFipsEndpoint: fips };
            expect(bare(await ours(config, bucket))).toEqual(bare(await theirs(sdk, bucket)));
          });
        }
      }
    }
  }

  it.each([
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/mine', {}],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint:mine', {}],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/mine', { dualstack: true }],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/mine', { fips: true }],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/mine', { endpoint: 'https://vpce-1.example:8443/base' }],
    ['arn:aws:s3:eu-west-1:123456789012:accesspoint/mine', {}],
    ['arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/mine', { region: 'cn-north-1' }],
    ['arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01234567890123456/accesspoint/mine', {}],
    ['arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-01234567890123456:accesspoint:mine', {}],
    ['my-ap-abcdefghijklmnopqrstuvwx1234-s3alias', {}],
    ['test-accessp-o0b1d075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3', {}],
  ])('%s %o', async (bucket, { region = 'us-west-2', dualstack = false, fips = false, endpoint }: Choice) => {
    const config = { provider: 'aws', region, endpoint, use_dualstack_endpoint: dualstack, use_fips_endpoint: fips };
    const sdk = { region, useDualstackEndpoint: dualstack, useFipsEndpoint: fips, ...(endpoint && { endpoint }) };
    const sent = await ours(config, bucket);
    expect(sent).toHaveLength(2);
    expect(bare(sent)).toEqual(bare(await theirs(sdk, bucket)));
  });

  it.each([
    ['https://project.example.co/storage/v1/s3', true],
    ['https://project.example.co/storage/v1/s3/', true],
    ['http://127.0.0.1:9000/deep/path', true],
    ['https://s3.example.com/base', false],
    ['https://s3.example.com/mit%20blank', true],
  ])('an endpoint with a path: %s, path style %s', async (endpoint, force_path_style) => {
    const config = { provider: 'minio', endpoint, force_path_style, region: 'us-east-1' };
    const sdk = { endpoint, forcePathStyle: force_path_style, region: 'us-east-1' };
    expect(bare(await ours(config, 'bucket'))).toEqual(bare(await theirs(sdk, 'bucket')));
  });

  it.each([
    [{}, 'https://bucket.s3-accelerate.amazonaws.com'],
    [{ use_dualstack_endpoint: true }, 'https://bucket.s3-accelerate.dualstack.amazonaws.com'],
    [{ region: 'us-iso-east-1' }, 'https://bucket.s3-accelerate.c2s.ic.gov'],
  ])('acceleration: %o', async (more, origin) => {
    const config = { region: 'us-west-2', accelerate: 'on', ...more };
    expect(addressesOf(parse(config), 'bucket').data.origin).toBe(origin);
    const sdk = {
      region: config.region,
      useAccelerateEndpoint: true,
      useDualstackEndpoint: 'use_dualstack_endpoint' in more,
    };
    expect((await ours(config, 'bucket'))[1]).toEqual((await theirs(sdk, 'bucket'))[1]);
  });
});

interface Choice {
  region?: string;
  dualstack?: boolean;
  fips?: boolean;
  endpoint?: string;
}

it('STS is not needed for the region of an access point: its ARN names it', async () => {
  const [sent] = await ours({}, 'arn:aws-us-gov:s3:us-gov-east-1:123456789012:accesspoint/mine');
  expect(sent).toEqual({
    url: 'https://mine-123456789012.s3-accesspoint.us-gov-east-1.amazonaws.com/',
    region: 'us-gov-east-1',
    service: 's3',
  });
});

describe('what cannot work is refused by name', () => {
  it.each([
    ['mine--usw2-az1--x-s3', {}, /is a directory bucket \(S3 Express One Zone\), which xsync does not support/],
    ['mine--usw2-az1--xa-s3', {}, /is a directory bucket/],
    ['mine-abcd--ol-s3', {}, /is an Object Lambda access point/],
    ['arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/x', {}, /is an Object Lambda access point/],
    ['arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap', {}, /is a Multi-Region Access Point/],
    ['arn:aws:s3:::bucket', {}, /is a bucket's ARN/],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/x', { endpoint: 'https://minio.example' }, /not at AWS/],
    ['arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/x', { region: 'us-west-2' }, /partition `aws` but ARN/],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/x', { accelerate: 'on', region: 'us-west-2' }, /Accelerate/],
    ['arn:nonsense', {}, /arn:nonsense/],
    ['bucket', { region: 'cn-north-1', use_fips_endpoint: true }, /aws-cn has no FIPS endpoints/],
    ['bucket', { region: 'cn-north-1', accelerate: 'on' }, /no transfer acceleration in its China regions/],
    ['bucket', { accelerate: 'on', use_fips_endpoint: true }, /acceleration has no FIPS endpoints/],
  ])('%s %o', (bucket, more, message) => {
    const addresses = () => addressesOf(parse(more), bucket);
    expect(addresses).toThrow(message);
    expect(addresses).toThrow(expect.objectContaining({ code: 'config' }));
  });

  it('but elsewhere such names are names', () => {
    const { control } = addressesOf(parse({ endpoint: 'https://minio.example' }), 'mine--usw2-az1--x-s3');
    expect(control.base).toBe('/mine--usw2-az1--x-s3');
  });

  it('in the config: variants of endpoints that only AWS has', () => {
    const refused = (more: object) => s3ConfigSchema.safeParse({ type: 's3', ...KEYS, ...more }).success === false;
    expect(refused({ endpoint: 'https://minio.example', use_fips_endpoint: true })).toBe(true);
    expect(refused({ provider: 'r2', endpoint: 'https://r2.example', use_dualstack_endpoint: true })).toBe(true);
    expect(refused({ use_dualstack_endpoint: true, use_fips_endpoint: 'true' })).toBe(false);
  });
});
