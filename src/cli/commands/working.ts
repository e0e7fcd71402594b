/** `xsync worker`, as a service. Tests: test/e2e/queue.redis.ts */
import type { Station } from '../../cluster/station.js';
import { XsyncError } from '../../model/error.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import { jobOf } from '../job.js';
import type { LogFlags, ObserveFlags } from '../options.js';
import { type Service, serve } from '../service.js';

export interface WorkerFlags extends LogFlags, Pick<ObserveFlags, 'metricsAddr'> {
  queue?: string;
  name?: string;
  /** Milliseconds. */
  drainTimeout: number;
}

export function workerCommand(io: Io, flags: WorkerFlags): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true }, async (context) => {
    const { queue, drainTimeout } = flags;
    if (queue === undefined) {
      throw new XsyncError('usage', 'a worker needs a queue', {
        subject: '--queue',
        remedy: 'Give its address with --queue redis://HOST, or in XSYNC_QUEUE.',
      });
    }
    const service = await serve(io, context.log, drainTimeout);
    try {
      return await workUntilStopped(context, service, { ...flags, queue });
    } finally {
      await service.close();
    }
  });
}

async function workUntilStopped(
  { io, log }: Context,
  service: Service,
  flags: WorkerFlags & { queue: string },
): Promise<number> {
  const [{ work }, { connecting, openFarSides }, { copyConnections, numberOf, openSettings }] = await Promise.all([
    import('../../cluster/work.js'),
    import('../../open/fleet.js'),
    import('../../open/job.js'),
  ]);
  const warn = (message: string): void => log.report({ type: 'notice', level: 'warn', message });
  // Places are in the jobs.
  const job = await jobOf('copy', { source: '-', destination: '-' }, flags);
  const settings = openSettings(job, copyConnections(job), io.env);
  const { transfers, partConcurrency, maxMemory, maxConnections: connections } = job;
  const { station, close } = await work({
    ...{ queue: flags.queue, name: flags.name, transfers, partConcurrency, connections },
    memory: numberOf(maxMemory) ?? Number.MAX_SAFE_INTEGER,
    connecting: connecting(settings, (message) => warn(message ?? 'the queue is there again')),
    open: (terms) => openFarSides(terms, settings),
    tell: (message) => log.say('notice', message),
    warn,
  });
  const pages = await listen(flags, station, log);
  try {
    await stopped(service, station);
  } finally {
    await pages?.close();
    await close();
  }
  const { name, objects, bytes, givenBack } = station.state;
  log.say('notice', `worker ${name} ends: ${objects} objects and parts, ${bytes} bytes; ${givenBack} jobs given back`);
  return service.interrupted ? EXIT.interrupted : EXIT.ok;
}

/** Jobs in progress may end within the time of --drain-timeout. */
async function stopped({ drain, stop, serving }: Service, station: Station): Promise<void> {
  serving({ reload: async () => {}, rests: () => station.state.jobs === 0 });
  if (!drain.aborted) await new Promise((resolve) => drain.addEventListener('abort', resolve, { once: true }));
  stop.addEventListener('abort', () => station.giveBack(), { once: true });
  await station.drain();
}

async function listen({ metricsAddr }: WorkerFlags, station: Station, log: Context['log']) {
  if (metricsAddr === undefined) return undefined;
  const { WorkerPages } = await import('../../observe/worker-pages.js');
  const listening = await new WorkerPages(() => station.state).listen(metricsAddr);
  log.say(metricsAddr.port === 0 ? 'notice' : 'info', `metrics at ${listening.url}/metrics`);
  return listening;
}
