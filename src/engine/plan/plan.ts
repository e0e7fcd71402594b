import type { ObjectEntry } from '../../model/object.js';
import type { CopyReason } from '../decide/decide.js';
import type { Traffic } from '../events.js';
import type { RunOptions, RunPair } from '../options.js';
import { cutObject, guessSourceCut } from './cut.js';

/**
 * One object to copy, as plain data: it can wait in a database or cross to another machine, and be done by any
 * process that holds the two stores.
 */
export interface PlanEntry {
  /** Relative to the pair; names the object in the manifest. */
  key: string;
  sourceKey: string;
  destKey: string;
  /** Bytes. */
  size: number;
  /** The version that is meant; every read is pinned to it. */
  sourceEtag: string;
  sourceMtimeMs: number;
  reason: CopyReason;
  /** `server`: the destination's service copies by itself; else the bytes pass through here. */
  way: 'server' | 'client';
  partSize: number;
  /** 1: a single request. */
  parts: number;
  /** The part size was asked for by a person. */
  cutByPerson: boolean;
  /** The source's composite ETag, where it has one: a checksum, once it is known how the source was cut. */
  md5ofParts?: string;
}

/** @param tuned part size that suits the line, where neither the person nor the source's ETag asks for another */
export function planEntry(
  entry: ObjectEntry,
  reason: CopyReason,
  pair: RunPair,
  options: RunOptions,
  tuned?: number,
): PlanEntry {
  const { source, dest } = pair;
  const limits = dest.store.capabilities;
  const server = limits.maxCopySize > 0 && dest.store.copyableFrom(source.store);
  const cut = server
    ? cutServerCopy(entry.size, limits.maxCopySize)
    : cutObject(entry.size, limits, {
        wanted: options.partSize,
        sourceCut: guessSourceCut(entry.size, entry.checksums?.md5ofParts),
        tuned,
      });
  return {
    key: entry.key,
    sourceKey: source.prefix + entry.key,
    destKey: dest.prefix + entry.key,
    size: entry.size,
    sourceEtag: entry.etag,
    sourceMtimeMs: entry.mtimeMs,
    reason,
    way: server ? 'server' : 'client',
    ...cut,
    cutByPerson: options.partSize !== undefined,
    md5ofParts: entry.checksums?.md5ofParts,
  };
}

/** Half of the largest server-side copy: large parts cost the client nothing, but a service takes its time over them. */
function cutServerCopy(size: number, maxCopySize: number): { partSize: number; parts: number } {
  if (size <= maxCopySize) return { partSize: maxCopySize, parts: 1 };
  const partSize = Math.floor(maxCopySize / 2);
  return { partSize, parts: Math.ceil(size / partSize) };
}

/** What a copy costs in requests when nothing goes wrong, per side. */
export function plannedRequests(entry: PlanEntry): { source: Traffic['requests']; destination: Traffic['requests'] } {
  const { parts } = entry;
  if (entry.way === 'server') {
    const copies = parts === 1 ? { copy: 1 } : { createUpload: 1, uploadPartCopy: parts, completeUpload: 1 };
    return { source: { head: 1 }, destination: copies };
  }
  const writes = parts === 1 ? { put: 1 } : { createUpload: 1, uploadPart: parts, completeUpload: 1 };
  const source: Traffic['requests'] = { read: parts };
  if (parts > 1 && entry.md5ofParts !== undefined) source.head = 1;
  return { source, destination: writes };
}
