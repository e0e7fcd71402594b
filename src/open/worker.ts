/** A worker: a thread that opens the sides of a pair again, and performs tickets. Tests: test/e2e/workers.test.ts */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Order, plainError, type Report } from '../engine/workers/messages.js';
import { Performer } from '../engine/workers/performer.js';
import { assumeOffsets } from '../store/http/clock.js';
import { followed } from './links.js';
import { Opener } from './sides.js';
import type { WorkerData } from './threads.js';

interface Opened {
  performer: Performer;
  close(): Promise<void>;
}

async function open({ settings, source, dest, follows, offsets }: WorkerData, port: MessagePort): Promise<Opened> {
  assumeOffsets(offsets);
  const opener = new Opener(settings, { path: '', remotes: {}, unset: {} });
  const [from, to] = [followed(await opener.again(source), follows), await opener.again(dest, { written: true })];
  const performer = new Performer({ source: from, dest: to }, (reports) => port.postMessage(reports));
  const close = async (): Promise<void> => {
    await Promise.all([from.close(), to.close()]);
    port.close();
  };
  return { performer, close };
}

function main(port: MessagePort): void {
  const opening = open(workerData, port).catch((error: unknown) => {
    const reports: readonly Report[] = [{ type: 'unopened', error: plainError(error) }];
    port.postMessage(reports);
    port.close();
  });
  port.on('message', async (orders: readonly Order[]) => {
    const opened = await opening;
    opened?.performer.hear(orders);
    if (orders.some(({ type }) => type === 'close')) await opened?.close();
  });
}

if (parentPort) main(parentPort);
