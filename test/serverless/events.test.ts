import { expect, test } from 'vitest';
import { recordsOf } from '../../src/serverless/events.js';
import { eventBridgeEvent, ossEvent, s3Event, sqsEvent } from './samples.js';

const seen = (event: unknown) =>
  recordsOf(event).map(({ messageId, read }) => [
    messageId,
    ...read().events.map(({ bucket, key, kind }) => `${kind} ${bucket}/${key}`),
  ]);

test('of S3, alone and through EventBridge, SQS and SNS', () => {
  expect(seen(s3Event('a b/é+c.jpg'))).toEqual([[undefined, 'created amzn-s3-demo-bucket/a b/é+c.jpg']]);
  expect(seen(eventBridgeEvent('k', 'Object Deleted'))).toEqual([[undefined, 'removed amzn-s3-demo-bucket/k']]);
  const { Records } = sqsEvent([s3Event('1'), eventBridgeEvent('2', 'Object Created'), { Event: 's3:TestEvent' }]);
  expect(seen({ Records })).toEqual([
    [Records[0]?.messageId, 'created amzn-s3-demo-bucket/1'],
    [Records[1]?.messageId, 'created amzn-s3-demo-bucket/2'],
    [Records[2]?.messageId],
  ]);
  const published = { Records: [{ EventSource: 'aws:sns', Sns: { Message: JSON.stringify(s3Event('3')) } }] };
  expect(seen(published)).toEqual([[undefined, 'created amzn-s3-demo-bucket/3']]);
});

test('of OSS, as bytes and parsed', () => {
  const event = ossEvent('图片 1+.png');
  for (const given of [event, Buffer.from(JSON.stringify(event)), JSON.stringify(event)]) {
    expect(seen(given)).toEqual([[undefined, 'created oss-demo-bucket/图片 1+.png']]);
  }
});

test('one message that cannot be read leaves the others', () => {
  const [bad, good] = recordsOf(sqsEvent(['nonsense', s3Event('1')]));
  expect(() => bad?.read()).toThrow('is not JSON');
  expect(good?.read().events).toHaveLength(1);
  expect(() => recordsOf({ hello: 'world' })[0]?.read()).toThrow('is not an event of');
});
