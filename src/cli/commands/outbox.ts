/** What the commands about pairs say of the pushing end of a bridge. Tests: test/e2e/bridge.test.ts */
import type { Outbox, OutboxRow } from '../../manifest/queues.js';
import { XsyncError } from '../../model/error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { formatBytes, plural } from '../render/format.js';
import { printable } from '../render/printable.js';
import type { PairFlags } from './pairs.js';

interface Ends {
  source: string | undefined;
  url: string;
}

const PAGE = 1000;

/** The tickets that were given up, with their reasons. @throws usage, config */
export function listDead(
  context: Context,
  { json, limit = Number.POSITIVE_INFINITY, ...flags }: PairFlags & { json?: true; limit?: number },
  ends: Ends,
): Promise<number> {
  return withOutbox(context, flags, ends, async (outbox) => {
    let listed = 0;
    for (let after: OutboxRow | undefined; listed < limit; ) {
      const rows = await outbox.dead(after, Math.min(PAGE, limit - listed));
      if (rows.length === 0) break;
      after = rows.at(-1);
      listed += rows.length;
      const lines = rows.map(({ key, size, attempts, fault }) =>
        json
          ? JSON.stringify({ key, size, attempts, code: fault?.code, message: fault?.message })
          : `${printable(key)}  ${formatBytes(size)}  ${fault?.code}: ${printable(fault?.message ?? '')}`,
      );
      await context.out.write(`${lines.join('\n')}\n`);
    }
    if (listed === 0 && !json) await context.out.write('No ticket was given up.\n');
    return EXIT.ok;
  });
}

/** Sends tickets that were given up again; a push must be running, or be started. @throws usage, config */
export function replayDead(
  context: Context,
  flags: PairFlags,
  ends: Ends & { keys: readonly string[] },
): Promise<number> {
  return withOutbox(context, flags, ends, async (outbox) => {
    const replayed = await outbox.replay(ends.keys.length > 0 ? ends.keys : undefined);
    context.log.say('notice', `${plural(replayed, 'ticket')} will be sent again by "xsync bridge push"`);
    return EXIT.ok;
  });
}

/** How much has arrived. @throws usage, config */
export function showProgress(
  context: Context,
  { json, ...flags }: PairFlags & { json?: true },
  ends: Ends,
): Promise<number> {
  return withOutbox(context, flags, ends, async (outbox) => {
    const { objects, versions, bytes } = await outbox.counts();
    if (json) {
      await context.out.write(`${JSON.stringify({ source: ends.source, url: ends.url, objects, versions, bytes })}\n`);
      return EXIT.ok;
    }
    const { progressOf } = await import('../../bridge/push/push.js');
    const lines = [
      `${ends.source} → ${ends.url}`,
      await progressOf(outbox),
      `${objects.waiting + versions.waiting} waiting (${formatBytes(bytes.waiting)}), ${objects.sent + versions.sent} at work (${formatBytes(bytes.sent)})`,
    ];
    await context.out.write(`${lines.join('\n')}\n`);
    return EXIT.ok;
  });
}

async function withOutbox(
  { io }: Context,
  flags: PairFlags,
  { source = '', url }: Ends,
  body: (outbox: Outbox) => Promise<number>,
): Promise<number> {
  const [{ openOutbox }, { openSettings }, { parseJob }] = await Promise.all([
    import('../../open/push.js'),
    import('../../open/job.js'),
    import('../../engine/job/job.js'),
  ]);
  const job = parseJob('copy', { source, destination: url, config: flags.config });
  const outbox = await openOutbox(source, url, openSettings(job, 1, io.env));
  if (!outbox) {
    throw new XsyncError('usage', `nothing was pushed from ${source} to ${url} on this machine`, {
      subject: source,
      remedy: 'Check the paths: they must be those of "xsync bridge push".',
    });
  }
  try {
    return await body(outbox);
  } finally {
    await outbox.close();
  }
}
