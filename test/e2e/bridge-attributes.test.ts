/** A bridge that carries what objects have besides their bytes. */
import { expect, test } from 'vitest';
import { Bridge, openSides, SECRET } from './bridging.js';
import { until } from './harness.js';

const { lab, near, far, line, running } = await openSides();

test('tags, ACLs and classes cross where both ends say so; losses are told at the pushing end; later changes send no bytes', async () => {
  const s = await Bridge.open({ lab, near, far, line, running });
  const team = (value: string) => [{ key: 'team', value }];
  const put = (colour: string, more: object) =>
    near.core.s3.put(s.from, 'a', 'bytes', {
      ...{ metadata: { colour }, headers: { 'content-type': 'text/x' }, tags: team('x') },
      ...{ acl: 'public-read', storageClass: 'STANDARD_IA', ...more },
    });
  put('red', { redirect: '/elsewhere' });
  await s.pull('--tags', '--acl', '--storage-class', 'map');
  const push = s.push('--backfill', '--tags', '--acl', '--interval', '500ms', '--events', ':0/events');
  const there = () => far.core.oss.get(s.to, 'in/a');
  await until(() => push.stderr.includes('100% at the other end') && there() !== undefined, { orElse: push.done });
  await until(() => push.stderr.includes('"a" has arrived, but not all of it'), { orElse: push.done });
  expect(push.stderr).toContain(
    'redirect lost: the destination keeps none; storage-class mapped: STANDARD_IA became IA',
  );
  expect(there()).toMatchObject({
    metadata: { colour: 'red' },
    tags: team('x'),
    acl: 'public-read',
    storageClass: 'IA',
  });
  expect(near.requests.counts()).toMatchObject({ GetObject: 1, GetObjectTagging: 1, GetObjectAcl: 1 });

  // The same bytes, written again with other metadata: the ETag stays.
  put('blue', {});
  await until(() => there()?.metadata.colour === 'blue', { orElse: push.done });
  expect(near.requests.find('GetObject')).toHaveLength(1);
  expect(far.requests.find('PutObject')).toHaveLength(1);

  // Tags change neither the time nor the ETag: an event tells.
  const address = /receiving events at (\S+)/.exec(push.stderr)?.[1] ?? '';
  const whole = near.core.s3.get(s.from, 'a');
  Object.assign(whole ?? {}, { tags: team('y') });
  const event = { eventSource: 'aws:s3', eventName: 'ObjectTagging:Put', eventTime: new Date().toISOString() };
  const Records = [{ ...event, s3: { bucket: { name: s.from }, object: { key: 'a', sequencer: '09' } } }];
  await fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}` },
    body: JSON.stringify({ Records }),
  });
  await until(() => JSON.stringify(there()?.tags).includes('y'), { orElse: push.done });
  expect(near.requests.find('GetObject')).toHaveLength(1);
});
