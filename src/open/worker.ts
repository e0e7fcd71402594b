/** A worker: a thread that opens the sides of a pair again, and performs tickets. Tests: test/e2e/workers.test.ts */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Order } from '../engine/workers/messages.js';
import { Performer } from '../engine/workers/performer.js';
import { loadHashes } from '../hash/index.js';
import { Opener } from './sides.js';
import type { WorkerData } from './threads.js';

interface Opened {
  performer: Performer;
  close(): Promise<void>;
}

async function open({ settings, source, dest }: WorkerData, port: MessagePort): Promise<Opened> {
  const opener = new Opener(settings, { path: '', remotes: {}, unset: {} });
  const [from, to] = [await opener.again(source), await opener.again(dest)];
  await loadHashes();
  const performer = new Performer({ source: from, dest: to }, (reports) => port.postMessage(reports));
  const close = async (): Promise<void> => {
    await Promise.all([from.close(), to.close()]);
    port.close();
  };
  return { performer, close };
}

if (parentPort) {
  const opening = open(workerData, parentPort);
  parentPort.on('message', async (orders: readonly Order[]) => {
    const { performer, close } = await opening;
    performer.hear(orders);
    if (orders.some(({ type }) => type === 'close')) await close();
  });
}
