/** What the commands about pairs share: select the pairs without any request. Tests: test/cli/pairs.test.ts */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathOf } from '../../manifest/place.js';
import type { PlaceIdentity } from '../../manifest/port.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { KnownPair } from '../../open/known.js';
import type { Context, Io } from '../context.js';
import { EXIT, exitOfError } from '../exit.js';
import type { LogFlags } from '../options.js';

export type PairFlags = LogFlags & { manifest?: string; config?: string };

/** The optional paths of a pair, as the first two arguments of a command. */
export const PAIR_ARGUMENTS = '[source] [destination]';

/** The destination is the other end of a bridge, and the pair an outbox. */
export function isUrl(destination: string | undefined): destination is string {
  return destination !== undefined && /^https?:\/\//.test(destination);
}

/** @throws usage for a single path */
export function wantedPair(source: string | undefined, destination: string | undefined) {
  if (source === undefined) return undefined;
  if (destination !== undefined) return { source, destination };
  throw new XsyncError('usage', `a pair has two paths, and only ${source} is given`, {
    subject: source,
    remedy: 'give the source and the destination, or --manifest FILE',
  });
}

/**
 * The first two arguments are the pair's paths, the rest are patterns; where --manifest names the pair and the first two
 * are not its paths, all of them are patterns. @throws usage
 */
export async function pairAndPatterns(
  io: Io,
  flags: PairFlags,
  args: readonly string[],
): Promise<{ pair: ReturnType<typeof wantedPair>; patterns: string[] }> {
  const [source, destination, ...patterns] = args;
  if (flags.manifest === undefined) return { pair: wantedPair(source, destination), patterns };
  const pair = source === undefined || destination === undefined ? undefined : { source, destination };
  if (pair && (await isKnown(io, flags, pair))) return { pair, patterns };
  if (pair && isPlace(pair.source) && isPlace(pair.destination) && existsSync(flags.manifest)) {
    throw new XsyncError('usage', `the manifest ${flags.manifest} is not that of ${source} → ${destination}`, {
      subject: flags.manifest,
      remedy: 'leave out the paths, or --manifest: either names the pair',
    });
  }
  return { pair: undefined, patterns: [...args] };
}

/** A path in a remote or in an existing folder, not a pattern of keys (which may begin with a slash too). */
function isPlace(text: string): boolean {
  return (
    /^[\w.-]+:/.test(text) ||
    (/^(\.{0,2}|~)\//.test(text) && !['.', '/'].includes(dirname(text)) && existsSync(dirname(text)))
  );
}

async function isKnown(io: Io, flags: PairFlags, pair: { source: string; destination: string }): Promise<boolean> {
  try {
    for await (const _ of pairsOf(io, flags, pair)) return true;
  } catch (error) {
    if (!isXsyncError(error, 'bucket-not-found', 'config', 'usage')) throw error;
  }
  return false;
}

/**
 * The selected pairs, one after the other, or all pairs of this machine; those that cannot be read go to `broken`.
 */
export async function* pairsOf(
  io: Io,
  flags: PairFlags,
  wanted: { source: string; destination: string } | undefined,
  broken?: XsyncError[],
): AsyncGenerator<KnownPair, void, void> {
  const { knownPairs, lookingSettings } = await import('../../open/known.js');
  yield* knownPairs(lookingSettings(io.env, flags), wanted, broken && ((error) => broken.push(error)));
}

/** Logs the errors of unreadable manifests, after the output. @returns the exit code, 0 without errors */
export function tellBroken({ log }: Pick<Context, 'log'>, broken: readonly XsyncError[]): number {
  const codes = broken.map((error) => {
    const code = exitOfError(error);
    log.fail(error, code);
    return code;
  });
  return codes[0] ?? EXIT.ok;
}

/** For a damaged row of a manifest that can otherwise be read. */
export function unreadText(what: string, file: string): string {
  return `${what} cannot be read from ${file}: it is damaged or was written by another version of xsync`;
}

/** The selected pair; it need not be named if only one is known. @throws usage, bucket-not-found */
export async function onePair<T>(
  io: Io,
  flags: PairFlags,
  wanted: { source: string; destination: string } | undefined,
  body: (pair: KnownPair) => T | Promise<T>,
): Promise<T> {
  const names: string[] = [];
  const files: string[] = [];
  for await (const pair of pairsOf(io, flags, wanted)) {
    const { source, destination } = await namesOf(pair);
    names.push(`${source} ${destination}`);
    files.push(pair.file);
  }
  const [file] = files;
  if (file !== undefined && files.length === 1) {
    for await (const pair of pairsOf(io, { ...flags, manifest: file }, undefined)) return await body(pair);
  }
  if (files.length === 0) throw new XsyncError('bucket-not-found', 'no pair is known on this machine yet');
  throw new XsyncError('usage', `which pair is meant? ${files.length} are known: ${names.join(', ')}`, {
    remedy: 'give its source and its destination, or --manifest FILE',
  });
}

export interface PairNames {
  source: string;
  destination: string;
  /** The destination names the object itself. */
  exact: boolean;
}

const RUNS = 500;

/** The pair's paths: local ones from the manifest, others as last typed, else built from their identity. */
export async function namesOf({ manifest, pair }: Pick<KnownPair, 'manifest' | 'pair'>): Promise<PairNames> {
  const { readRun } = await import('../../engine/record/facts.js');
  const runs = manifest.runs(RUNS);
  const run = runs.find((row) => row.command !== 'retry' && readRun(row)) ?? runs[0];
  const typed = run && readRun(run)?.summary;
  return {
    source: nameOf(pair.source, typed?.source),
    destination: nameOf(pair.dest, typed?.destination),
    exact: pathOf(pair.dest) !== undefined || run?.command === 'copyto',
  };
}

function nameOf(place: PlaceIdentity, typed: string | undefined): string {
  const { kind, endpoint, bucket, prefix } = place;
  if (kind === 'bridge') return `bridge://${bucket}`;
  return pathOf(place) ?? typed ?? `${kind}:${endpoint}/${bucket}/${prefix}`;
}
