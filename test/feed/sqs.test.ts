import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeBatch } from '../../src/feed/feed.js';
import { SqsFeed, type SqsLimits } from '../../src/feed/sqs.js';
import { queueOf } from '../../src/feed/sqs-address.js';
import { FakeSqs } from '../support/sqs/index.js';
import { refuse } from '../support/sqs/queue.js';
import { eventBridge, s3Put, s3Record, s3Test, sns } from './bodies.js';

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };

let sqs: FakeSqs;
const open: (() => Promise<void>)[] = [];

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  sqs = await FakeSqs.start(keys);
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
  await sqs.close();
  vi.unstubAllEnvs();
});

function read(limits: Partial<SqsLimits> = {}, text = sqs.address) {
  const address = queueOf(text, {});
  if (address === undefined) throw new Error(`${text} is no queue`);
  const feed = new SqsFeed(address, { waitS: 1, backoffMs: 1, ...limits });
  const troubles: (string | undefined)[] = [];
  feed.onTrouble = (message) => troubles.push(message);
  const stop = new AbortController();
  const batches = feed.batches(stop.signal);
  open.push(async () => {
    stop.abort();
    await feed.close();
  });
  const next = async () => {
    const { value, done } = await batches.next();
    if (done) throw new Error('the feed has ended');
    return value as ChangeBatch;
  };
  return { feed, troubles, next, stop, batches };
}

const keysOf = ({ events }: ChangeBatch) => events.map(({ key }) => key);

describe('events in a queue', () => {
  it('are read in every form in which AWS puts them there, and their messages deleted when they are done', async () => {
    sqs.send(JSON.stringify(s3Put));
    sqs.send(JSON.stringify(sns({ Records: [s3Record('ObjectRemoved:Delete', 'a+b')] })));
    sqs.send(JSON.stringify(eventBridge('Object Created', { key: 'a+b' })));
    const { next, feed } = read();
    const batch = await next();
    expect(keysOf(batch)).toEqual(['HappyFace.jpg', 'a b', 'a+b']);
    expect(sqs.queue.ids).toHaveLength(3);
    await batch.done();
    expect(sqs.queue.ids).toEqual([]);
    expect(feed.counts).toEqual({ events: 3, ignored: 0, refused: 0 });
  });

  it('stay there until they are done, so that a crash loses none', async () => {
    sqs.send(JSON.stringify(s3Put));
    const first = read();
    await first.next();
    first.stop.abort();
    await first.feed.close();
    sqs.queue.showAll();
    expect(keysOf(await read().next())).toEqual(['HappyFace.jpg']);
  });

  it('are kept from other readers for as long as the work goes on', async () => {
    sqs.send(JSON.stringify(s3Put));
    const { next, batches, stop } = read({ visibilityS: 2, renewMs: 200 });
    const batch = await next();
    const second = batches.next();
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    expect(sqs.queue.receipts).toEqual([1]);
    await batch.done();
    const calls = sqs.calls.length;
    stop.abort();
    expect((await second).done).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(sqs.calls.slice(calls)).not.toContain('ChangeMessageVisibilityBatch');
  });

  it('wait longer each time they are given back, so that a destination that is down buries none of them', async () => {
    sqs.send(JSON.stringify(s3Put));
    const { next } = read();
    for (let round = 0; round < 4; round++) {
      await (await next()).release();
      sqs.queue.showAll();
    }
    expect(sqs.queue.hidden).toEqual([10, 20, 40, 80]);
  });

  it('are settled in any number and any order', async () => {
    for (let n = 0; n < 25; n++) sqs.send(JSON.stringify({ key: `k${n}`, kind: 'created' }));
    const { next } = read();
    const batches = [await next(), await next(), await next()];
    expect(batches.flatMap(keysOf)).toHaveLength(25);
    for (const batch of batches.reverse()) await batch.done();
    expect(sqs.queue.ids).toEqual([]);
  });

  it('are not received on while too many are not settled', async () => {
    for (let n = 0; n < 25; n++) sqs.send(JSON.stringify({ key: `k${n}`, kind: 'created' }));
    const { next, batches } = read({ messages: 20 });
    const first = await next();
    await next();
    const third = batches.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sqs.queue.receipts.filter((count) => count > 0)).toHaveLength(20);
    await first.done();
    expect(keysOf((await third).value as ChangeBatch)).toHaveLength(5);
  });
});

describe('a message that is no event', () => {
  it('is left to the queue, told once, and holds up nothing', async () => {
    const id = sqs.send('{"order":1}');
    sqs.send(JSON.stringify(s3Put));
    const { next, troubles, feed } = read();
    await (await next()).done();
    sqs.queue.showAll();
    sqs.send(JSON.stringify(s3Put));
    await (await next()).done();
    expect(sqs.queue.ids).toEqual([id]);
    expect(sqs.queue.receipts).toEqual([2]);
    expect(troubles.filter((one) => one?.includes(id))).toHaveLength(1);
    expect(feed.counts.refused).toBe(1);
  });

  it('is deleted where S3 only tried the way or tells of no change', async () => {
    sqs.send(JSON.stringify(s3Test));
    sqs.send(JSON.stringify({ Records: [s3Record('ObjectRestore:Completed', 'a')] }));
    const { batches, feed } = read();
    void batches.next();
    await vi.waitFor(() => expect(sqs.queue.ids).toEqual([]));
    expect(feed.counts).toEqual({ events: 0, ignored: 2, refused: 0 });
  });
});

describe('a queue that does not answer as it should', () => {
  it('is asked again after an outage, of which a person hears once', async () => {
    sqs.send(JSON.stringify(s3Put));
    const { next, troubles } = read();
    await (await next()).done();
    sqs.faults.push(...Array.from({ length: 7 }, () => refuse('InternalFailure', 'We are sorry.', 500)));
    sqs.send(JSON.stringify(s3Put));
    await (await next()).done();
    expect(troubles).toEqual([expect.stringContaining('We are sorry.'), undefined]);
  });

  it('lets events come twice, and no watch end, when a message could not be deleted', async () => {
    sqs.send(JSON.stringify(s3Put));
    const { next, troubles } = read();
    const batch = await next();
    sqs.faults.push(refuse('AccessDeniedException', 'no', 400));
    await batch.done();
    expect(troubles).toEqual([expect.stringContaining('events may be delivered twice')]);
    expect(sqs.queue.ids).toHaveLength(1);
  });

  it.each([
    ['QueueDoesNotExist', 'config', 'the queue does not exist'],
    ['AccessDeniedException', 'access-denied', 'sqs:ReceiveMessage'],
    ['ExpiredTokenException', 'expired-credentials', 'have expired'],
    ['InvalidClientTokenId', 'bad-credentials', 'AWS_PROFILE'],
  ])('ends the feed at the start, saying what to do, with %s', async (type, code, says) => {
    sqs.faults.push(refuse(type, 'no'));
    await expect(read().next()).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it('does not end a feed that once worked, because keys expire and are renewed', async () => {
    sqs.send(JSON.stringify(s3Put));
    const { next, troubles } = read();
    await (await next()).done();
    sqs.faults.push(refuse('ExpiredTokenException', 'no'));
    sqs.send(JSON.stringify(s3Put));
    await next();
    expect(troubles).toEqual([expect.stringContaining('have expired'), undefined]);
  });

  it('is refused with wrong keys, which the stand-in checks as SQS does', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    await expect(read().next()).rejects.toMatchObject({ code: 'bad-credentials' });
  });

  it('names the other queue that is not there', async () => {
    await expect(read({}, sqs.address.replace('changes', 'other')).next()).rejects.toMatchObject({ code: 'config' });
  });
});

describe('the name of a queue', () => {
  it.each([
    ['sqs://us-east-1/123456789012/q', 'us-east-1', 'https://sqs.us-east-1.amazonaws.com/123456789012/q'],
    ['sqs://cn-north-1/123456789012/q', 'cn-north-1', 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q'],
    [
      'https://sqs.eu-west-1.amazonaws.com/123456789012/q.fifo',
      'eu-west-1',
      'https://sqs.eu-west-1.amazonaws.com/123456789012/q.fifo',
    ],
    [
      'https://vpce-1a2b-3c.sqs.us-east-1.vpce.amazonaws.com/123456789012/q',
      'us-east-1',
      'https://vpce-1a2b-3c.sqs.us-east-1.vpce.amazonaws.com/123456789012/q',
    ],
    ['sqs://us-iso-east-1/123456789012/q', 'us-iso-east-1', 'https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/q'],
    ...[
      ['https://us-west-2.queue.amazonaws.com/123456789012/q', 'us-west-2'],
      ['https://queue.amazonaws.com/123456789012/q', 'us-east-1'],
      ['https://cn-north-1.queue.amazonaws.com.cn/123456789012/q', 'cn-north-1'],
      ['https://sqs.us-east-1.api.aws/123456789012/q', 'us-east-1'],
      ['https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q', 'us-gov-west-1'],
      ['https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/q', 'eusc-de-east-1'],
    ].map(([url = '', region = '']): [string, string, string] => [url, region, url]),
  ])('%s leads to the queue in its region', (text, region, url) => {
    expect(queueOf(text, {})).toMatchObject({ region, url });
  });

  it('goes to the endpoint that the environment names', () => {
    const env = { AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4566/' };
    expect(queueOf('sqs://us-east-1/123456789012/q', env)).toMatchObject({
      endpoint: 'http://127.0.0.1:4566',
      url: 'http://127.0.0.1:4566/123456789012/q',
    });
  });

  it.each([
    ['sqs://us-east-1/q'],
    ['sqs://us-east-1/12/q'],
    ['https://example.com/123456789012/q'],
    ['https://sqs.evil.example/123456789012/q'],
    ['https://sqs.cn-north-1.amazonaws.com/123456789012/q'],
    ['https://sqs.us-east-1.amazonaws.com.evil.example/123456789012/q'],
  ])('%s is none', (text) => {
    expect(queueOf(text, {})).toBeUndefined();
  });
});
