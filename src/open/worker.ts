/** A worker: a thread that opens the sides of a pair again, and performs tickets. Tests: test/e2e/workers.test.ts */
import { parentPort, workerData } from 'node:worker_threads';
import type { Order } from '../engine/workers/messages.js';
import { Performer } from '../engine/workers/performer.js';
import { loadHashes } from '../hash/index.js';
import { Opener } from './sides.js';
import type { WorkerData } from './threads.js';

const { settings, source, dest }: WorkerData = workerData;
const port = parentPort;
if (!port) throw new Error('this file is run by a worker thread');

const opener = new Opener(settings, { path: '', remotes: {}, unset: {} });
const [from, to] = [await opener.again(source), await opener.again(dest)];
await loadHashes();
const performer = new Performer({ source: from, dest: to }, (reports) => port.postMessage(reports));
port.on('message', (orders: readonly Order[]) => {
  performer.hear(orders);
  if (orders.some(({ type }) => type === 'close')) void close();
});

async function close(): Promise<void> {
  await Promise.all([from.close(), to.close()]);
  port?.close();
}
