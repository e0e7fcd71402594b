/** `xsync manifest info` and `export`: read the file and make no requests. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Manifest, ManifestRow } from '../../manifest/port.js';
import { lookingSettings } from '../../open/known.js';
import { manifestInfos } from '../../open/manifests.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { unwritten } from '../output.js';
import { infoJson, infoLines, infoTable } from '../render/manifest.js';
import { onePair, type PairFlags, wantedPair } from './pairs.js';

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
