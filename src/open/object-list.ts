/**
 * The list of objects, with their versions, that a copy is of. It is read and checked before anything is copied, and sorted
 * in a temporary file, so that memory stays bounded.
 * Tests: test/cli/object-list.test.ts
 */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Filter } from '../engine/filter/filter.js';
import { batchRows, type Listed, versionLines } from '../inventory/batch.js';
import { filePieces } from '../inventory/bytes.js';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import type { Spool } from '../model/spool.js';
import { ListedVersions } from '../store/wrap/at-versions.js';
import type { OpenPlace } from './inventory.js';
import type { OpenSide } from './settings.js';

/** Which list a job names: one of both. */
export interface ListOf {
  /** S3 Batch Operations' CSV, with whole keys of the bucket. */
  batchManifest?: string;
  /** Lines of key and version, relative to the source. */
  filesFromVersions?: string;
}

export interface ObjectList {
  /** The source, whose calls about a key are about the version that the list names. */
  source: OpenSide;
  /** Names the keys. */
  filter: Filter;
  /** What of the list is not copied. */
  warnings: readonly string[];
  close(): void;
}

const PAGE = 1000;

/** @param open opens the place of the list. @throws usage, config: the list cannot be used; what reading it throws */
export async function readObjectList(side: OpenSide, list: ListOf, spool: Spool, open: OpenPlace): Promise<ObjectList> {
  const counts = { outside: 0, again: 0, versions: 0 };
  try {
    for await (const rows of rowsOf(side, list, open)) {
      const whole = list.batchManifest === undefined ? rows : rows.flatMap((row) => relative(row, side.prefix) ?? []);
      counts.outside += rows.length - whole.length;
      const batch = new Map<string, string>();
      for (const { key, versionId = '' } of whole) {
        if (batch.has(key) || spool.get(key) !== undefined) counts.again++;
        if (versionId !== '') counts.versions++;
        // The last one counts.
        batch.set(key, versionId);
      }
      spool.add([...batch].map(([key, value]) => ({ key, value })));
    }
    if (counts.versions > 0 && !side.store.listVersions) throw keepsNone(side, list);
  } catch (error) {
    spool.dispose();
    throw error;
  }
  const source = counts.versions === 0 ? side : atVersions(side, spool);
  return { source, filter: filterOf(spool), warnings: warningsOf(counts, side), close: () => spool.dispose() };
}

function keepsNone({ text }: OpenSide, { batchManifest }: ListOf): XsyncError {
  const option = batchManifest === undefined ? '--files-from-versions' : '--batch-manifest';
  return new XsyncError('usage', `${option}: the list names versions, and ${text} keeps none`, {
    subject: option,
    remedy: 'Name the objects alone.',
  });
}

function relative({ key, ...row }: Listed, prefix: string): Listed | undefined {
  return key.startsWith(prefix) && key !== prefix ? { ...row, key: key.slice(prefix.length) } : undefined;
}

function rowsOf(side: OpenSide, { batchManifest, filesFromVersions }: ListOf, open: OpenPlace) {
  if (batchManifest === undefined) return versionLines(localPieces(filesFromVersions ?? '-', '--files-from-versions'));
  const isOwn = (name: string): boolean => name === side.bucket || name === side.givenAs;
  return batchRows(placePieces(batchManifest, open), batchManifest, isOwn);
}

async function* placePieces(text: string, open: OpenPlace): AsyncGenerator<Uint8Array> {
  const { store, bucket, path, close } = await open(text, { readOnly: true });
  try {
    if (store.capabilities.local) yield* localPieces(path === '' ? bucket : resolve(bucket, path), '--batch-manifest');
    else yield* filePieces({ store, key: path, text }, new AbortController().signal);
  } finally {
    await close();
  }
}

async function* localPieces(file: string, option: string): AsyncGenerator<Uint8Array> {
  try {
    const stream = file === '-' ? process.stdin : createReadStream(file);
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (error) {
    throw new XsyncError('usage', `${option}: ${file} cannot be read: ${reasonOf(error)}`, {
      subject: option,
      cause: error,
    });
  }
}

function atVersions(side: OpenSide, spool: Spool): OpenSide {
  const versionOf = (key: string): string | undefined => spool.get(key.slice(side.prefix.length)) || undefined;
  return {
    ...side,
    store: new ListedVersions(side.store, versionOf),
    view: (onRetry) => {
      const own = side.view(onRetry);
      return { ...own, store: new ListedVersions(own.store, versionOf) };
    },
    namesVersions: true,
    // A version is looked up by the thread that reads the list.
    again: undefined,
  };
}

function filterOf(spool: Spool): Filter {
  return {
    active: true,
    files: keysIn(spool),
    warnings: [],
    test: (key) => (spool.get(key) === undefined ? { included: false, reason: 'not in the list' } : { included: true }),
    mayContain: () => true,
    showsFolder: () => true,
  };
}

/** Can be iterated again and again. */
function keysIn(spool: Spool): Iterable<string> {
  return {
    *[Symbol.iterator]() {
      for (let after: string | undefined; ; ) {
        const page = spool.page(after, PAGE);
        for (const { key } of page) yield key;
        after = page.at(-1)?.key;
        if (after === undefined) return;
      }
    },
  };
}

function warningsOf({ outside, again }: { outside: number; again: number }, { text }: OpenSide): string[] {
  const said: string[] = [];
  if (outside > 0) said.push(`${outside} ${rows(outside)} of the list are not below ${text}, and are left out`);
  if (again > 0)
    said.push(
      `the list names ${again} ${again === 1 ? 'key' : 'keys'} again; the last version that it names of a key is copied`,
    );
  return said;
}

function rows(count: number): string {
  return count === 1 ? 'row' : 'rows';
}
