import { expect, test } from 'vitest';
import { WorkerPages, type WorkerState } from '../../src/observe/worker-pages.js';

test('/metrics and /healthz say what a worker is doing', async () => {
  const state: WorkerState = {
    name: 'w',
    objects: 5,
    bytes: 70,
    jobs: 2,
    done: 3,
    givenBack: 1,
    draining: false,
    silentMs: 0,
  };
  const listening = await new WorkerPages(() => state).listen({ host: '127.0.0.1', port: 0 });
  const text = await (await fetch(`${listening.url}/metrics`)).text();
  for (const line of [
    'jobs{worker="w"} 2',
    'objects_total{worker="w"} 5',
    'bytes_total{worker="w"} 70',
    'jobs_given_back_total{worker="w"} 1',
  ]) {
    expect(text).toContain(`xsync_worker_${line}`);
  }
  const well = await fetch(`${listening.url}/healthz`);
  expect([well.status, await well.json()]).toMatchObject([200, { status: 'ok', jobs: 2, draining: false }]);
  state.silentMs = 61_000;
  const ill = await fetch(`${listening.url}/healthz`);
  expect([ill.status, await ill.json()]).toMatchObject([503, { reasons: ['the queue has not answered for 61 s'] }]);
  await listening.close();
});
