import type { OpenSide } from '../../open.js';
import type { UploadEntry } from '../../store/port.js';
import type { Context } from '../context.js';
import { flag, value } from '../define.js';
import { manifestOption } from '../options.js';
import type { Program } from '../program.js';
import { formatDuration, plural } from '../render/format.js';
import { keyText } from '../render/printable.js';
import { openSettings } from '../settings.js';
import { parseDuration } from '../values.js';
import { type LookFlags, look, lookOptions } from './look.js';

type CleanupFlags = LookFlags & { maxAge?: number; dryRun?: true; source?: string; manifest?: string };

const DAY_MS = 24 * 3600 * 1000;

export function addCleanup({ root, io, finish }: Program): void {
  const command = root
    .command('cleanup <path>')
    .summary('abort multipart uploads that were left unfinished')
    .description(
      'Finds multipart uploads below path that nobody finished, and frees their storage. Uploads younger ' +
        'than --max-age are left alone: a run may be at work on them.',
    )
    .optionsGroup('Cleanup:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-n, --dry-run', 'only say what would be aborted');
  value(command, '--max-age <duration>', 'leave younger uploads alone', parseDuration, [DAY_MS, '24h']);
  value(
    command,
    '--source <path>',
    'also those, of any age, that a copy from there to path could resume',
    (_, text) => text,
  );
  manifestOption(command);
  lookOptions(command).action(async (path: string, flags: CleanupFlags) => {
    finish(
      await look(io, path, flags, async (side, context) => {
        const cleaner = new Cleaner(context, flags.dryRun === true);
        if (flags.source !== undefined) await abortCheckpoints(context, cleaner, flags.source, path, flags);
        await abortOld(cleaner, side, io.now() - (flags.maxAge ?? 0));
        await cleaner.finish();
        return 0;
      }),
    );
  });
}

/** Says and does the same for every upload, wherever it was found. */
class Cleaner {
  readonly #context: Context;
  readonly #dryRun: boolean;
  #count = 0;

  constructor(context: Context, dryRun: boolean) {
    this.#context = context;
    this.#dryRun = dryRun;
  }

  get dryRun(): boolean {
    return this.#dryRun;
  }

  async abort(side: OpenSide, upload: UploadEntry): Promise<void> {
    const { out, io } = this.#context;
    if (!this.#dryRun) await side.store.abortUpload(upload);
    this.#count++;
    const key = out.isTerminal ? keyText(upload.key) : upload.key;
    const age = formatDuration(Math.max(0, io.now() - upload.initiatedMs));
    await out.write(`${this.#dryRun ? 'would abort' : 'aborted'} ${key} (${upload.uploadId}, ${age} old)\n`);
  }

  async finish(): Promise<void> {
    const verb = this.#dryRun ? 'Would abort' : 'Aborted';
    await this.#context.out.write(`${verb} ${plural(this.#count, 'unfinished upload')}\n`);
  }
}

/** The pair's lock is held meanwhile, so that no run is at work on them. */
async function abortCheckpoints(
  { io }: Context,
  cleaner: Cleaner,
  source: string,
  path: string,
  flags: CleanupFlags,
): Promise<void> {
  const { openPair } = await import('../../open.js');
  const pair = await openPair(source, path, openSettings(flags, 1, io.env), {
    command: 'cleanup',
    single: false,
    dryRun: cleaner.dryRun,
  });
  try {
    for (const row of pair.manifest.uploads()) {
      const key = pair.dest.prefix + row.key;
      await cleaner.abort(pair.dest, { key, uploadId: row.uploadId, initiatedMs: row.createdMs });
      if (!cleaner.dryRun) pair.manifest.endUpload(row.key);
    }
  } finally {
    await pair.close();
  }
}

async function abortOld(cleaner: Cleaner, side: OpenSide, untilMs: number): Promise<void> {
  let token: string | undefined;
  do {
    const page = await side.store.listUploads({ prefix: side.prefix, token });
    for (const upload of page.uploads) if (upload.initiatedMs <= untilMs) await cleaner.abort(side, upload);
    token = page.nextToken;
  } while (token !== undefined);
}

const EXAMPLES = `
Examples:
  xsync cleanup --dry-run shanghai:bucket
  xsync cleanup --max-age 7d s3://my-bucket/photos
  xsync cleanup --source ./photos s3://my-bucket/photos`;
