/** Tests: test/cli/cleanup.test.ts */

import { parseDuration } from '../../engine/job/values.js';
import { XsyncError } from '../../model/error.js';
import { PageGuard } from '../../model/paging.js';
import { openSettings } from '../../open/job.js';
import type { OpenSide } from '../../open.js';
import type { UploadEntry } from '../../store/port.js';
import type { Context } from '../context.js';
import { flag, value } from '../define.js';
import { manifestOption } from '../options.js';
import type { Program } from '../program.js';
import { formatDuration, plural } from '../render/format.js';
import { keyText } from '../render/printable.js';
import { onSide, type ReadingFlags, readingOptions } from './reading.js';

type CleanupFlags = ReadingFlags & { maxAge?: number; dryRun?: true; manifest?: string };

const DAY_MS = 24 * 3600 * 1000;

export function addCleanup({ root, io, finish }: Program): void {
  const command = root
    .command('cleanup <path>')
    .summary('abort unfinished multipart uploads')
    .description(
      'Abort unfinished multipart uploads below path to free their storage: those that interrupted runs of this ' +
        'machine could resume, and all others older than --max-age. Uploads of a run in progress are kept.',
    )
    .optionsGroup('Cleanup:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-n, --dry-run', 'show what would be aborted; change nothing');
  value(command, '--max-age <duration>', 'keep other uploads newer than this', parseDuration, [DAY_MS, '24h']);
  manifestOption(command);
  readingOptions(command).action(async (path: string, flags: CleanupFlags) => {
    finish(
      await onSide(io, path, flags, async (side, context) => {
        const cleaner = new Cleaner(context, flags.dryRun === true);
        const untilMs = io.now() - (flags.maxAge ?? 0);
        const damaged: string[] = [];
        for (const at of await abortCheckpoints(context, cleaner, side, flags)) {
          damaged.push(...(await abortOld(cleaner, at, untilMs)));
          if (at !== side) await at.close();
        }
        await cleaner.finish();
        if (damaged.length > 0) throw incomplete(side, damaged);
        return 0;
      }),
    );
  });
}

class Cleaner {
  readonly #context: Context;
  readonly #dryRun: boolean;
  /** In a dry run, the store also lists the uploads of checkpoints. */
  readonly #seen = new Set<string>();

  constructor(context: Context, dryRun: boolean) {
    this.#context = context;
    this.#dryRun = dryRun;
  }

  get dryRun(): boolean {
    return this.#dryRun;
  }

  async abort(side: OpenSide, upload: UploadEntry): Promise<void> {
    const { out, io } = this.#context;
    const name = JSON.stringify([upload.key, upload.uploadId]);
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    if (!this.#dryRun) await side.store.abortUpload(upload);
    const key = out.isTerminal ? keyText(upload.key) : upload.key;
    const age = formatDuration(Math.max(0, io.now() - upload.initiatedMs));
    await out.write(`${this.#dryRun ? 'would abort' : 'aborted'} ${key} (${upload.uploadId}, ${age} old)\n`);
  }

  async finish(): Promise<void> {
    const verb = this.#dryRun ? 'Would abort' : 'Aborted';
    await this.#context.out.write(`${verb} ${plural(this.#seen.size, 'unfinished upload')}\n`);
  }
}

/**
 * Aborts the uploads that interrupted runs of this machine left, of any age, and removes their checkpoints.
 * @returns the side, and the other destinations on disk above and below it, each with what is left of the side's path
 */
async function abortCheckpoints(
  { io }: Context,
  cleaner: Cleaner,
  side: OpenSide,
  flags: CleanupFlags,
): Promise<OpenSide[]> {
  const { manifestsInto, openSide, pathOf } = await import('../../open.js');
  const settings = openSettings(flags, 1, io.env);
  const sides = new Map([[side.bucket, side]]);
  for await (const { manifest, into } of manifestsInto(side, settings)) {
    const at = sides.get(into.bucket) ?? (await openSide(into.bucket, settings));
    const root = pathOf({ bucket: into.bucket, prefix: '' });
    if (at !== side) at.prefix = pathOf(side).slice(root.length);
    sides.set(into.bucket, at);
    for (const row of manifest.uploads()) {
      const key = into.prefix + row.key;
      if (row.uploadId === '' || !key.startsWith(at.prefix)) continue;
      await cleaner.abort(at, { key, uploadId: row.uploadId, initiatedMs: row.createdMs });
      if (!cleaner.dryRun) manifest.endUpload(row.key);
    }
  }
  return [...sides.values()];
}

/** @returns descriptions of rows that name no upload */
async function abortOld(cleaner: Cleaner, side: OpenSide, untilMs: number): Promise<string[]> {
  const guard = new PageGuard(side.text);
  const damaged: string[] = [];
  let token: string | undefined;
  do {
    const page = await side.store.listUploads({ prefix: side.prefix, token });
    token = page.nextToken;
    guard.follow({ first: page.uploads[0]?.uploadId, last: page.uploads.at(-1)?.uploadId, token });
    damaged.push(...(page.damaged ?? []));
    // A store may ignore the prefix.
    const below = page.uploads.filter(({ key }) => key.startsWith(side.prefix));
    for (const upload of below) if (upload.initiatedMs <= untilMs) await cleaner.abort(side, upload);
  } while (token !== undefined);
  return damaged;
}

function incomplete({ text }: OpenSide, [first, ...others]: readonly string[]): XsyncError {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new XsyncError('invalid-response', `the list of the unfinished uploads of ${text} has ${first}${more}`, {
    subject: text,
    remedy: "List the unfinished uploads with the service's own tools: one may be left.",
  });
}

const EXAMPLES = `
Examples:
  xsync cleanup --dry-run shanghai:bucket
  xsync cleanup --max-age 7d s3://my-bucket/photos
  xsync cleanup --max-age 0 s3://my-bucket/photos`;
