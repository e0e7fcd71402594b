import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/feed/body.js';
import {
  base64,
  ceph,
  eventBridge,
  minio,
  mns,
  ossCloudEvent,
  ossEvent,
  s3Put,
  s3Record,
  s3Test,
  sns,
  subscribeUrl,
} from './bodies.js';

const read = (body: unknown) => readBody(JSON.stringify(body));
const kinds = (body: unknown) => read(body).events.map(({ kind, key }) => `${kind} ${key}`);

const happyFace = {
  bucket: 'photos',
  key: 'HappyFace.jpg',
  kind: 'created',
  sequencer: '0055AED6DCD90281E5',
  atMs: 0,
  size: 1024,
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
  versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko',
};

describe('events of S3', () => {
  it('tell of a new object all that a watch can use', () => {
    expect(read(s3Put)).toEqual({ events: [happyFace], ignored: 0 });
  });

  it('come with the key as it is at the store, whatever characters S3 encoded', () => {
    expect(kinds({ Records: [s3Record('ObjectCreated:Copy', 'a+b%2Bc/%E4%B8%AD%E6%96%87+%25.txt')] })).toEqual([
      'created a b+c/中文 %.txt',
    ]);
  });

  it('come with the key as it is from a store that does not encode', () => {
    expect(kinds({ Records: [s3Record('ObjectCreated:Put', '100% sure')] })).toEqual(['created 100% sure']);
    expect(kinds({ Records: [s3Record('ObjectCreated:Put', 'a%ff')] })).toEqual(['created a%ff']);
  });

  it.each([['ObjectTagging:Put'], ['ObjectTagging:Delete'], ['ObjectAcl:Put'], ['s3:ObjectTagging:Put']])(
    'tell with %s that attributes may have changed, and nothing else',
    (name) => {
      const { events, ignored } = read({ Records: [s3Record(name, 'a')] });
      expect(events).toMatchObject([{ key: 'a', kind: 'created', attributes: true }]);
      expect(ignored).toBe(0);
    },
  );

  it.each([
    ['ObjectRemoved:Delete'],
    ['ObjectRemoved:DeleteMarkerCreated'],
    ['LifecycleExpiration:Delete'],
    ['LifecycleExpiration:DeleteMarkerCreated'],
    ['ObjectLifecycle:Expiration:Current'],
    ['ObjectSynced:Delete'],
  ])('tell with %s that an object has gone', (name) => {
    expect(kinds({ Records: [s3Record(name, 'a')] })).toEqual(['removed a']);
  });

  it.each([
    ['ObjectRestore:Completed'],
    ['LifecycleTransition'],
    ['Replication:OperationFailedReplication'],
    ['ReducedRedundancyLostObject'],
    ['s3:ObjectAccessed:Get'],
  ])('make no work with %s, and are counted', (name) => {
    expect(read({ Records: [s3Record(name, 'a'), s3Record('ObjectCreated:Put', 'b')] })).toMatchObject({
      events: [{ key: 'b' }],
      ignored: 1,
    });
  });

  it('make no fault of the message with which S3 tries the way', () => {
    expect(read(s3Test)).toEqual({ events: [], ignored: 1 });
  });

  it('come through EventBridge with the key as it is', () => {
    const object = {
      key: 'a+b%20c',
      size: 5,
      etag: 'b1946ac9',
      'version-id': 'IYV3p45B',
      sequencer: '617f08299329d189',
    };
    expect(read(eventBridge('Object Created', object)).events).toEqual([
      {
        bucket: 'photos',
        key: 'a+b%20c',
        kind: 'created',
        sequencer: '617f08299329d189',
        atMs: Date.UTC(2021, 10, 12),
        size: 5,
        etag: 'b1946ac9',
        versionId: 'IYV3p45B',
      },
    ]);
    expect(kinds(eventBridge('Object Deleted', { key: 'a' }))).toEqual(['removed a']);
    expect(read(eventBridge('Object Restore Completed', { key: 'a' }))).toEqual({ events: [], ignored: 1 });
  });

  it('come through SNS, and through SNS from EventBridge', () => {
    expect(read(sns(s3Put)).events).toEqual([happyFace]);
    expect(kinds(sns(eventBridge('Object Created', { key: 'a+b' })))).toEqual(['created a+b']);
  });

  it('come from MinIO, whose keys have encoded slashes', () => {
    expect(kinds(minio('ObjectCreated:CompleteMultipartUpload', 'a%2Fb+c.jpg'))).toEqual(['created a/b c.jpg']);
    expect(kinds(minio('ObjectRemoved:Delete', 'a%2Fb.jpg'))).toEqual(['removed a/b.jpg']);
  });
});

describe('events of Ceph', () => {
  it('come with the key as it is, which Ceph does not encode', () => {
    expect(kinds(ceph('ObjectCreated:Put', 'a+b %25.txt', 'D1F9006B0BE2B213'))).toEqual(['created a+b %25.txt']);
  });

  it('come without the sequencer, by which a change would be taken for older than the one before it', () => {
    const { events } = read(ceph('ObjectRemoved:Delete', 'a', 'D1F9006BD0E0CA18'));
    expect(events).toEqual([
      {
        bucket: 'photos',
        key: 'a',
        kind: 'removed',
        atMs: Date.UTC(2026, 10, 21, 1, 54, 25, 328),
        size: 5,
        etag: '5d41402abc4b2a76b9719d911017c592',
      },
    ]);
  });
});

describe('a subscription to SNS', () => {
  const confirmation = { Type: 'SubscriptionConfirmation', Message: 'You have chosen', SubscribeURL: subscribeUrl };

  it('is left to a person, who is told the URL to open', () => {
    const { events, notice } = read(sns('', confirmation));
    expect(events).toEqual([]);
    expect(notice).toContain(subscribeUrl);
    expect(notice).toContain('arn:aws:sns:us-west-2:123456789012:MyTopic');
  });

  it.each([
    ['https://sns.us-west-2.amazonaws.com.evil.example/?Action=ConfirmSubscription'],
    ['http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription'],
    ['https://sns.us-west-2.amazonaws.com/?a\u001b[2J'],
  ])('never shows a person a URL that is not of SNS: %j', (SubscribeURL) => {
    const { notice } = read(sns('', { ...confirmation, SubscribeURL }));
    expect(notice).toContain('do not');
    expect(notice).not.toContain(SubscribeURL);
  });
});

describe('events of OSS', () => {
  const event = {
    bucket: 'photos',
    key: 'a+b%20/中.png',
    kind: 'created',
    atMs: Date.UTC(2022, 7, 13, 6, 45, 43),
    size: 122539,
    etag: '688A7BF4F233DC9C88A80BF985AB7329',
  };
  const list = { events: [ossEvent('ObjectCreated:PutObject', event.key)] };

  it('tell of a new object, with the key as it is', () => {
    expect(read(list)).toEqual({ events: [event], ignored: 0 });
  });

  it('come through MNS in Base64, alone and in its envelope', () => {
    expect(readBody(base64(list)).events).toEqual([event]);
    expect(read(mns(base64(list))).events).toEqual([event]);
    expect(read(mns(JSON.stringify(list))).events).toEqual([event]);
  });

  it('come through EventBridge, one and many', () => {
    const cloudEvent = ossCloudEvent('ObjectCreated:PutObject', event.key);
    expect(read(cloudEvent).events).toEqual([event]);
    expect(read([cloudEvent, cloudEvent]).events).toEqual([event, event]);
  });

  it.each([
    ['ObjectCreated:CompleteMultipartUpload', 'created'],
    ['ObjectCreated:AppendObject', 'created'],
    ['ObjectReplication:ObjectModified', 'created'],
    ['ObjectRemoved:DeleteObject', 'removed'],
    ['ObjectRemoved:DeleteObjects', 'removed'],
    ['ObjectReplication:ObjectRemoved', 'removed'],
  ])('tell with %s that an object was %s', (name, kind) => {
    expect(kinds({ events: [ossEvent(name, 'a')] })).toEqual([`${kind} a`]);
    expect(kinds(ossCloudEvent(name, 'a'))).toEqual([`${kind} a`]);
  });

  it.each([
    ['ObjectCreated:InitiateMultipartUpload'],
    ['ObjectCreated:UploadPart'],
    ['ObjectCreated:UploadPartCopy'],
    ['ObjectRemoved:AbortMultipartUpload'],
    ['ObjectDownloaded:GetObject'],
    ['ObjectRestore:FinishRestore'],
  ])('make no object come or go with %s', (name) => {
    expect(read({ events: [ossEvent(name, 'a')] })).toEqual({ events: [], ignored: 1 });
    expect(read(ossCloudEvent(name, 'a'))).toEqual({ events: [], ignored: 1 });
  });
});

describe('the form of xsync itself', () => {
  it('takes a key and a kind, so that any script can tell of a change', () => {
    expect(read({ key: 'a b', kind: 'removed', bucket: 'x', time: '1970-01-01T00:00:01Z', size: 3 }).events).toEqual([
      { bucket: 'x', key: 'a b', kind: 'removed', atMs: 1_000, size: 3 },
    ]);
  });
});

describe('what is no event', () => {
  it.each([
    ['', 'is not JSON'],
    ['{"Records":', 'is not JSON'],
    ['<?xml version="1.0"?><Notification/>', 'is XML'],
    ['3', 'not an object or a list'],
    ['{"order":1}', 'is not an event of'],
    ['{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2"}', 'is not an event of'],
    ['{"Records":[{"eventName":"ObjectCreated:Put"}]}', 'without a key'],
    ['{"Records":[1]}', 'without an event name'],
    ['{"key":"","kind":"created"}', 'without a key'],
    ['{"key":"\\ud800","kind":"created"}', 'not Unicode'],
    ['{"key":"a","kind":"touched"}', '"kind"'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'envelopes'],
  ])('is refused with the reason: %.40s', (text, reason) => {
    expect(() => readBody(text)).toThrow(reason);
  });

  it('is never quoted, since it may hold anything', () => {
    for (const text of ['hunter2', '{"password":"hunter2"}', '{"a":hunter2}', '["hunter2"]']) {
      expect(() => readBody(text)).toThrow(/^(?!.*hunter2).*$/);
    }
  });

  it('is refused in no other way, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          readBody(text);
        } catch (error) {
          expect((error as Error).constructor.name).toBe('BodyFault');
        }
      }),
    );
  });
});
