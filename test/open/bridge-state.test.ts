import { afterAll, beforeAll, expect, it } from 'vitest';
import { ticketId } from '../../src/manifest/queues.js';
import { openOutboxState, openPullState } from '../../src/open/bridge-state.js';
import { type Dynamo, startDynamo } from '../support/dynamo.js';
import { startServer, type TestServer } from '../support/server/index.js';

let dynamo: Dynamo;
let server: TestServer;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  [dynamo, server] = await Promise.all([startDynamo(), startServer()]);
  await dynamo.createTable();
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  server.core.s3.createBucket('state', {});
  env = {
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region },
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    // A server of another maker is trusted to compare only if its provider is known to.
    ...{ XSYNC_CONFIG_LAB_TYPE: 's3', XSYNC_CONFIG_LAB_PROVIDER: 'aws', XSYNC_CONFIG_LAB_ENV_AUTH: 'true' },
    XSYNC_CONFIG_LAB_FORCE_PATH_STYLE: 'true',
    ...{ XSYNC_CONFIG_LAB_ENDPOINT: endpoint, XSYNC_CONFIG_LAB_REGION: region, AWS_ENDPOINT_URL_S3: endpoint },
    XDG_CONFIG_HOME: '/nonexistent',
  };
});
afterAll(() => Promise.all([dynamo.close(), server.close()]));

const ID = { key: 'k', revision: 1 };

it.each(['dynamodb://xsync-bridge/test', 'lab:state/bridge'])(
  'what one call leaves in %s, the next finds',
  async (place) => {
    const first = await openPullState(place, env);
    await first.queue.add([{ ...ID, id: ticketId(ID), body: 'b' }]);
    await first.close();
    const next = await openPullState(place, env);
    expect(await next.queue.claim({ nowMs: 0, leaseMs: 1, limit: 1 })).toMatchObject([{ key: 'k', body: 'b' }]);
    await next.close();
    const outbox = await openOutboxState(place, env);
    await outbox.note([{ key: 'k', action: 'copy', etag: 'e', size: 1, mtimeMs: 1 }], 'waiting');
    await outbox.close();
    const again = await openOutboxState(place, env);
    expect(await again.due(0, 1)).toMatchObject([{ key: 'k', etag: 'e' }]);
    await again.close();
  },
);

it('an outbox without a place ends with the process', async () => {
  const outbox = await openOutboxState(undefined, env);
  await outbox.setFact('a', 'b');
  expect([await outbox.fact('a'), await (await openOutboxState(undefined, env)).fact('a')]).toEqual(['b', undefined]);
});

it('a bucket of a server that may ignore conditions is refused', async () => {
  await expect(openPullState('s3://state/bridge', env)).rejects.toMatchObject({
    code: 'unsupported',
    message: 'the store of state does not compare what a write replaces',
  });
});

it('a place on this host is refused, because no other call would find it', async () => {
  await expect(openPullState('/tmp/xsync-no-such-state', env)).rejects.toMatchObject({
    code: 'config',
    message: '/tmp/xsync-no-such-state is on this host, where no other call would find the state',
  });
});
