/**
 * Which keys a run looks at: rclone's filter options with rclone's meaning (rclone.org/filtering). Pure; the files
 * behind the options are read by the caller and parsed by `parseFilterFile`.
 */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { FilterFile } from './file.js';
import { HiddenFolders } from './hidden.js';
import { buildRules, firstMatch, type Rule, type RuleOptions } from './rules.js';

export { type FilterFile, parseFilterFile, parseRawKeyFile } from './file.js';

export interface FilterOptions extends RuleOptions {
  /** Names relative to the root; slashes around them and a leading `./` are ignored. Excludes every other filter option. */
  filesFrom?: readonly FilterFile[];
  /** Keys relative to the root, verbatim. */
  filesFromRaw?: readonly FilterFile[];
  /** Bytes, inclusive. */
  minSize?: number;
  /** Bytes, inclusive. */
  maxSize?: number;
  /** --min-age as an instant: only objects modified then or before. Milliseconds since 1970. */
  modifiedUntilMs?: number;
  /** --max-age as an instant: only objects modified then or later. Milliseconds since 1970. */
  modifiedSinceMs?: number;
  /** Levels of folders: 1 is the root's own objects. */
  maxDepth?: number;
  /** Names of files that hide the folder which holds them, and everything below it. */
  excludeIfPresent?: readonly string[];
}

export type FilterVerdict = { included: true } | { included: false; reason: string };

export interface Filter {
  /** False when everything passes. */
  readonly active: boolean;
  /** The keys that --files-from names, in key order, each once. */
  readonly files?: Iterable<string>;
  /** Sentences for the person about options that may not do what was meant. */
  readonly warnings: readonly string[];
  /** Must be shown every key of a listing before the filter is asked about one; absent if nothing depends on it. */
  readonly hidden?: HiddenFolders;
  /** `key` is relative to the root of the run; size in bytes, time in milliseconds since 1970. */
  test(key: string, size: number, mtimeMs: number): FilterVerdict;
  /** False when no key below the directory (relative to the root, ending in `/`; '' is the root) can pass. */
  mayContain(dirPrefix: string): boolean;
  /** Whether a listing shows the directory itself; one at --max-depth is shown, although nothing below it is. */
  showsFolder(dirPrefix: string): boolean;
}

const INCLUDED: FilterVerdict = { included: true };

/** @throws XsyncError `usage` for patterns and combinations that mean nothing. */
export function createFilter(options: FilterOptions): Filter {
  const { keys, folders, warnings } = buildRules(options);
  const limits = attributeLimits(options);
  const { maxDepth = Number.POSITIVE_INFINITY, excludeIfPresent: markers = [] } = options;
  const hidden = markers.length > 0 ? new HiddenFolders(markers) : undefined;
  const active = keys.length + folders.length + limits.length + markers.length > 0 || options.maxDepth !== undefined;
  if (options.filesFrom !== undefined || options.filesFromRaw !== undefined) {
    if (active) throw alone(options);
    return listFilter(listedKeys(options));
  }
  const exclusionOfFolder = folderCheck(folders, hidden);
  return {
    active,
    warnings,
    hidden,
    test(key, size, mtimeMs) {
      if (depthOf(key) >= maxDepth) return { included: false, reason: `--max-depth ${maxDepth}` };
      for (const limit of limits) {
        const reason = limit(size, mtimeMs);
        if (reason !== undefined) return { included: false, reason };
      }
      const folder = exclusionOfFolder(key.slice(0, key.lastIndexOf('/') + 1));
      if (folder !== undefined) return { included: false, reason: folder };
      const rule = firstMatch(keys, key);
      return rule === undefined || rule.include ? INCLUDED : { included: false, reason: rule.origin };
    },
    mayContain: (dirPrefix) => depthOf(dirPrefix) < maxDepth && exclusionOfFolder(dirPrefix) === undefined,
    showsFolder: (dirPrefix) => depthOf(dirPrefix) <= maxDepth && exclusionOfFolder(dirPrefix) === undefined,
  };
}

/** Folders above a key, or above what a folder holds. */
function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}

type Limit = (size: number, mtimeMs: number) => string | undefined;

function attributeLimits(options: FilterOptions): Limit[] {
  const { minSize, maxSize, modifiedUntilMs, modifiedSinceMs } = options;
  const limits: Limit[] = [];
  if (minSize !== undefined && maxSize !== undefined && minSize > maxSize) {
    throw new XsyncError(
      'usage',
      `--min-size (${minSize} bytes) is above --max-size (${maxSize} bytes): nothing can pass`,
    );
  }
  if (modifiedUntilMs !== undefined && modifiedSinceMs !== undefined && modifiedUntilMs < modifiedSinceMs) {
    throw new XsyncError('usage', '--min-age is above --max-age: nothing can pass');
  }
  if (minSize !== undefined) {
    limits.push((size) => (size < minSize ? `--min-size: ${size} bytes is under ${minSize}` : undefined));
  }
  if (maxSize !== undefined) {
    limits.push((size) => (size > maxSize ? `--max-size: ${size} bytes is over ${maxSize}` : undefined));
  }
  if (modifiedUntilMs !== undefined) {
    limits.push((_, time) =>
      time > modifiedUntilMs ? `--min-age: modified after ${iso(modifiedUntilMs)}` : undefined,
    );
  }
  if (modifiedSinceMs !== undefined) {
    limits.push((_, time) =>
      time < modifiedSinceMs ? `--max-age: modified before ${iso(modifiedSinceMs)}` : undefined,
    );
  }
  return limits;
}

function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

/**
 * Why a directory is not entered: the rule that shuts it or one of those above it. Keys come sorted, so the last
 * answer usually serves again.
 */
function folderCheck(rules: readonly Rule[], hidden?: HiddenFolders): (folder: string) => string | undefined {
  let last = '';
  let answer: string | undefined;
  return (folder) => {
    const reason = hidden?.reasonFor(folder);
    if (reason !== undefined) return reason;
    if (folder === '' || rules.length === 0) return undefined;
    if (folder === last) return answer;
    last = folder;
    answer = undefined;
    for (let end = folder.indexOf('/') + 1; end > 0 && answer === undefined; end = folder.indexOf('/', end) + 1) {
      const rule = firstMatch(rules, folder.slice(0, end));
      if (rule !== undefined && !rule.include) answer = `${rule.origin} (directory ${folder.slice(0, end)})`;
    }
    return answer;
  };
}

function alone(options: FilterOptions): XsyncError {
  const option = options.filesFrom === undefined ? '--files-from-raw' : '--files-from';
  return new XsyncError('usage', `${option} names every file itself and cannot be combined with other filters`, {
    subject: option,
    remedy: `Remove the --include, --exclude, --filter, size, age and depth options, or ${option}.`,
  });
}

function listedKeys(options: FilterOptions): string[] {
  const trimmed = (options.filesFrom ?? []).flatMap(({ lines }) => lines.map(({ text }) => plainName(text)));
  const raw = (options.filesFromRaw ?? []).flatMap(({ lines }) => lines.map(({ text }) => text));
  return [...new Set([...trimmed, ...raw])].filter((key) => key !== '').sort(compareKeys);
}

/** `find` and `tar` write names with a leading `./`, and the folder itself as `.`. */
function plainName(text: string): string {
  return text.replace(/^(?:\.?\/)+|\/+$/g, '').replace(/^\.$/, '');
}

function listFilter(files: readonly string[]): Filter {
  const listed = new Set(files);
  const folders = new Set<string>(['']);
  for (const key of files) {
    for (let end = key.indexOf('/') + 1; end > 0; end = key.indexOf('/', end) + 1) folders.add(key.slice(0, end));
  }
  return {
    active: true,
    files,
    warnings: [],
    test: (key) => (listed.has(key) ? INCLUDED : { included: false, reason: 'not in --files-from' }),
    mayContain: (dirPrefix) => folders.has(dirPrefix),
    showsFolder: (dirPrefix) => folders.has(dirPrefix),
  };
}
