/** Tests: test/e2e/queue.redis.ts */
import { TRANSFER } from '../../engine/job/options.js';
import { parseDuration } from '../../engine/job/values.js';
import { own } from '../define.js';
import { options } from '../job.js';
import { configOption, logOptions, metricsOption, networkOptions } from '../options.js';
import type { Program } from '../program.js';

import type { WorkerFlags } from './working.js';

const text = (_option: string, given: string): string => given;

export function addWorker({ root, io, finish }: Program): void {
  const command = root
    .command('worker')
    .summary('copy what a run on another machine puts on a queue')
    .description(
      'Take jobs from the queue of "xsync copy --queue" (and sync, move, watch) until stopped. A worker has the ' +
        'remotes in its own config, and needs no state: start as many as you like (docs/cluster.md).',
    )
    .addHelpText('after', EXAMPLES);
  const { queue, transfers, partConcurrency, maxConnections, maxMemory } = TRANSFER;
  command.optionsGroup('Worker:');
  options(command, { queue: { ...queue, description: 'address of the queue: redis://HOST (docs/cluster.md)' } });
  own(
    command,
    '--name <name>',
    "name of this worker in logs and reports (default: the host's name and a number)",
    text,
  );
  own(
    command,
    '--drain-timeout <duration>',
    'time to finish after SIGTERM; what is not finished then goes to another worker',
    parseDuration,
    20_000,
    '20s',
  );
  options(command.optionsGroup('Transfer:'), { transfers, partConcurrency, maxConnections, maxMemory });
  networkOptions(command);
  metricsOption(command);
  logOptions(command);
  configOption(command).action(async (flags: WorkerFlags) => {
    const { workerCommand } = await import('./working.js');
    finish(await workerCommand(io, flags));
  });
}

const EXAMPLES = `
Examples:
  xsync worker --queue redis://queue.internal:6379
  XSYNC_QUEUE=rediss://user:password@queue.internal xsync worker --transfers 32
  xsync sync virginia:src shanghai:dst --queue redis://queue.internal:6379

SIGTERM or Ctrl-C: takes no more jobs, and gives back what does not end in time.`;
