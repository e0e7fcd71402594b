/**
 * `xsync manifest verify` and `rebuild`: the manifest against what both stores have.
 * Tests: test/e2e/manifest.test.ts
 */
import { adoptEqual } from '../../engine/rows/rebuild.js';
import { checkRows } from '../../engine/rows/verify.js';
import { XsyncError } from '../../model/error.js';
import { openSettings } from '../../open/job.js';
import { damageOf } from '../../open/manifests.js';
import { openToRead, openToRebuild } from '../../open.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import type { ConnectionFlags, LinkFlags } from '../options.js';
import { rebuiltLines, verifiedLines } from '../render/manifest.js';
import type { PairFlags } from './pairs.js';

export type StoreFlags = PairFlags & ConnectionFlags & LinkFlags & { json?: true };
export type RebuildFlags = StoreFlags & { claim?: true };

const CHECKERS = 16;
const LIST_CONCURRENCY = 32;
const MAX_MEMORY = 256 * 1024 ** 2;
const LOOKING = { checkers: CHECKERS, listConcurrency: LIST_CONCURRENCY };

export async function verify(
  context: Context,
  flags: StoreFlags,
  source: string,
  destination: string,
): Promise<number> {
  const { io, log, out } = context;
  const pair = await openToRead(source, destination, openSettings(flags, CHECKERS + LIST_CONCURRENCY, io.env));
  const interruption = onInterrupt(context);
  try {
    const file = pair.manifest.path;
    if (file === ':memory:') throw nothingKnown(source, destination);
    const damage = damageOf(file);
    const rows = await checkRows(pair, { ...LOOKING, stop: interruption.signal }, log.report);
    if (interruption.signal.aborted) return EXIT.interrupted;
    const found = { manifest: file, damage, ...rows };
    const lines = flags.json ? [JSON.stringify(found)] : verifiedLines(found);
    await out.write(lines.map((line) => `${line}\n`).join(''));
    return damage.length === 0 && rows.agreeing === rows.rows ? EXIT.ok : EXIT.other;
  } finally {
    interruption.dispose();
    await pair.close();
  }
}

export async function rebuild(
  context: Context,
  flags: RebuildFlags,
  source: string,
  destination: string,
): Promise<number> {
  const { io, log, out } = context;
  const pair = await openToRebuild(source, destination, openSettings(flags, CHECKERS + LIST_CONCURRENCY, io.env));
  const interruption = onInterrupt(context);
  try {
    const options = { ...LOOKING, claim: flags.claim === true, maxMemory: MAX_MEMORY, stop: interruption.signal };
    const { stopped, ...summary } = await adoptEqual(pair, options, log.report);
    if (stopped) {
      log.say('notice', 'stopped: the manifest is unchanged');
      return EXIT.interrupted;
    }
    const found = { manifest: pair.file, aside: pair.finish(), claimed: flags.claim === true, ...summary };
    const lines = flags.json ? [JSON.stringify(found)] : rebuiltLines(found);
    await out.write(lines.map((line) => `${line}\n`).join(''));
    return summary.failed > 0 ? EXIT.objectsFailed : EXIT.ok;
  } finally {
    interruption.dispose();
    await pair.close();
  }
}

function nothingKnown(source: string, destination: string): XsyncError {
  return new XsyncError('bucket-not-found', `there is no manifest of ${source} → ${destination}`, {
    subject: source,
    remedy: 'create one with a copy, or with "xsync manifest rebuild" from both sides',
  });
}
