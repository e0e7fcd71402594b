/**
 * `xsync manifest info`, `export` and `forget`: work on the file and make no requests.
 * Tests: test/cli/pairs.test.ts
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Manifest, ManifestRow } from '../../manifest/port.js';
import { XsyncError } from '../../model/error.js';
import { lookingSettings } from '../../open/known.js';
import { manifestInfos } from '../../open/manifests.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { unwritten } from '../output.js';
import { plural } from '../render/format.js';
import { infoJson, infoLines, infoTable } from '../render/manifest.js';
import { printable } from '../render/printable.js';
import { namesOf, onePair, type PairFlags, wantedPair } from './pairs.js';

export type InfoFlags = PairFlags & { json?: true };
export type ExportFlags = PairFlags & { format: 'json' | 'csv'; output?: string };

/** Exits with 1 when a manifest cannot be read. */
export async function showInfo(
  { io, out }: Context,
  flags: InfoFlags,
  source: string | undefined,
  destination: string | undefined,
): Promise<number> {
  const wanted = wantedPair(source, destination);
  const all = wanted === undefined && flags.manifest === undefined;
  const found = [];
  for await (const info of manifestInfos(lookingSettings(io.env, flags), wanted)) found.push(info);
  if (flags.json) await out.write(found.map((info) => `${infoJson(info)}\n`).join(''));
  else if (all)
    await out.write(
      infoTable(found)
        .map((line) => `${line}\n`)
        .join(''),
    );
  else
    for (const info of found)
      await out.write(
        infoLines(info)
          .map((line) => `${line}\n`)
          .join(''),
      );
  return found.some((info) => 'error' in info) ? EXIT.other : EXIT.ok;
}

/**
 * Unlike the commands that only read, it never guesses which pair is meant.
 * @throws usage, locked
 */
export async function forget(
  { io, log }: Context,
  flags: PairFlags,
  source: string | undefined,
  destination: string | undefined,
): Promise<number> {
  const wanted = wantedPair(source, destination);
  if (wanted === undefined && flags.manifest === undefined) {
    throw new XsyncError('usage', 'name the pair to forget', {
      remedy: 'give its source and its destination, or --manifest FILE; "xsync status" lists the pairs',
    });
  }
  const { file, names, uploads } = await onePair(io, flags, wanted, async (pair) => ({
    file: pair.file,
    names: await namesOf(pair),
    uploads: pair.manifest.uploads().length,
  }));
  const { forgetPair } = await import('../../open/manifests.js');
  forgetPair(file);
  log.say('notice', `Forgot ${printable(names.source)} → ${printable(names.destination)} (${printable(file)})`);
  if (uploads > 0) {
    const remedy = `xsync cleanup ${printable(names.destination)} removes them`;
    log.say('notice', `${plural(uploads, 'unfinished upload')} may remain at the destination: ${remedy}`);
  }
  return EXIT.ok;
}

const PAGE = 1000;

export async function exportRows(
  { io, out }: Context,
  flags: ExportFlags,
  source: string | undefined,
  destination: string | undefined,
): Promise<number> {
  const lines = flags.format === 'csv' ? csvLines : jsonLines;
  await onePair(io, flags, wantedPair(source, destination), async ({ manifest }) => {
    if (flags.output === undefined || flags.output === '-') {
      for (const text of lines(manifest)) await out.write(text);
    } else await writeFile(flags.output, lines(manifest));
  });
  return EXIT.ok;
}

/** @throws not-writable, disk-full */
async function writeFile(name: string, texts: Iterable<string>): Promise<void> {
  const stream = createWriteStream(name, { mode: 0o600 });
  try {
    await once(stream, 'open');
    for (const text of texts) if (!stream.write(text)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'finish');
  } catch (error) {
    throw unwritten(name, name, 'name another file with --output', error);
  } finally {
    stream.destroy();
  }
}

function* pagesOf(manifest: Manifest): Generator<ManifestRow[]> {
  for (let after: string | undefined; ; ) {
    const rows = manifest.page(after, PAGE);
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)?.key;
  }
}

function* jsonLines(manifest: Manifest): Generator<string> {
  for (const rows of pagesOf(manifest)) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

const COLUMNS = ['key', 'size', 'sourceEtag', 'sourceMtimeMs', 'destEtag', 'verifiedBy', 'ours', 'atMs'] as const;

/** RFC 4180. */
function* csvLines(manifest: Manifest): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for (const rows of pagesOf(manifest)) {
    yield rows.map((row) => `${COLUMNS.map((column) => quoted(String(row[column]))).join(',')}\r\n`).join('');
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
