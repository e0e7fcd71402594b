/** What a coordinator reads of its workers, over a real Redis server. The test is the worker. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { RedisFleet } from '../../src/cluster/fleet.js';
import { keys } from '../../src/cluster/keys.js';
import type { FleetRun } from '../../src/engine/fleet/port.js';
import { Halt } from '../../src/engine/flow/halt.js';
import { type Counts, NOTHING } from '../../src/store/wrap/meter.js';
import { RedisServer } from '../support/redis.js';
import { copyTicket } from './tickets.js';

/** Two looks for missed news. */
const LOOKS_MS = 10_000;
const TERMS = { pair: 'pair', source: 'from:bucket', dest: 'to:bucket' };
const OPTIONS = { checkCertificate: true, trouble: () => undefined };

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(() => void vi.useRealTimers());
afterAll(() => server.close());

test('a result that is found in Redis before its news is not taken without its requests', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const redis = server.client();
  const fleet = await RedisFleet.open(server.url, TERMS, 'owner', OPTIONS);
  const counted: Counts[] = [];
  const link = fleet.join(runThat((counts) => counted.push(counts)));
  await link.open();
  const outcome = link.perform(copyTicket('key', 1000));
  let job: string | undefined;
  while (job === undefined) [job] = await redis.lrange('{xsync}:tickets:wait', 0, 0);
  const copied = { kind: 'copied', destEtag: '"etag"', verifiedBy: 'md5', parts: 1, resumedParts: 0, resumedBytes: 0 };
  const result = { outcome: copied };
  await redis.hset(keys.done(job), { 0: JSON.stringify(result) });
  await vi.advanceTimersByTimeAsync(LOOKS_MS / 2);
  const traffic = { ...NOTHING, bytesIn: 1000 };
  const news = { job, worker: 'one', results: [['0', result]], traffic: { source: traffic } };
  await redis.publish(keys.news('pair'), JSON.stringify(news));
  expect(await outcome).toMatchObject({ kind: 'copied' });
  expect(counted).toMatchObject([{ bytesIn: 1000 }]);

  const missed = link.perform(copyTicket('missed', 1000));
  let other: string | undefined = job;
  while (other === undefined || other === job) [other] = await redis.lrange('{xsync}:tickets:wait', 0, 0);
  await redis.hset(keys.done(other), { 0: JSON.stringify(result) });
  await vi.advanceTimersByTimeAsync(LOOKS_MS);
  expect(await missed).toMatchObject({ kind: 'copied' });
  link.close();
  await fleet.close();
  redis.disconnect();
});

test('a run that ends at once wants nothing more of the workers', async () => {
  const redis = server.client();
  const fleet = await RedisFleet.open(server.url, { ...TERMS, pair: 'ends' }, 'owner', OPTIONS);
  const run = runThat(() => undefined);
  const link = fleet.join(run);
  await link.open();
  expect(await redis.get(keys.wanted('ends'))).toBe('1');
  const outcome = link.perform(copyTicket('key', 1000));
  run.halt.fail(new Error('a bug'));
  expect(await outcome).toEqual({ kind: 'unfinished' });
  link.close();
  await fleet.close();
  expect(await redis.get(keys.wanted('ends'))).toBe(null);
  expect(await redis.get(keys.stop('ends'))).toBe('calls');
  redis.disconnect();
});

function runThat(counted: (counts: Counts) => void): FleetRun {
  const contact = { answered: true };
  const none = { contact, retried: () => undefined, counted: () => undefined };
  return {
    ...{ halt: new Halt(1000), unverified: false, observe: () => undefined, emit: () => undefined },
    checkpoints: {
      ...{ upload: async () => undefined, beginUpload: async () => undefined, addPart: async () => undefined },
      ...{ noteHash: async () => undefined, parts: async () => [], dropParts: async () => undefined },
      endUpload: async () => undefined,
    },
    elsewhere: { source: { ...none, counted }, dest: none },
    ...{ recovered: () => undefined, flush: () => undefined },
  };
}
