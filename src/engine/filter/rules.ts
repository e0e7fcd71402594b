/**
 * The ordered rules behind --include, --exclude, --filter and their files. rclone keeps two lists, one for keys and
 * one for the directories above them, and so does this: in each the first rule that matches decides.
 * Tests: test/engine/filter/filter.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { excerpt } from '../../model/excerpt.js';
import type { FilterFile } from './file.js';
import { compileGlob, globToFolderGlobs } from './glob.js';
import type { Pattern } from './regexp.js';

export interface RuleOptions {
  include?: readonly string[];
  includeFrom?: readonly FilterFile[];
  exclude?: readonly string[];
  excludeFrom?: readonly FilterFile[];
  /** `+ glob`, `- glob` or `!`. */
  filter?: readonly string[];
  filterFrom?: readonly FilterFile[];
  ignoreCase?: boolean;
}

export interface Rule {
  include: boolean;
  pattern: Pattern;
  /** Where the rule comes from, for a person: `--exclude "*.bak"`. */
  origin: string;
}

export interface Rules {
  /** For whole keys. */
  keys: Rule[];
  /** For directories, with their trailing slash. */
  folders: Rule[];
  warnings: string[];
}

interface Source {
  option: string;
  text: string;
  /** `--exclude "*.bak"` or `--exclude-from list.txt, line 3: "*.bak"`. */
  origin: string;
}

/** The first rule that matches decides; undefined: none does, which includes. */
export function firstMatch(rules: readonly Rule[], name: string): Rule | undefined {
  return rules.find((rule) => rule.pattern.test(name));
}

/**
 * Builds both lists in rclone's order: every --include, --include-from, --exclude, --exclude-from, --filter,
 * --filter-from, and at the end the exclusion of everything else that --include implies.
 * @throws XsyncError `usage` naming the option, file, line and pattern at fault.
 */
export function buildRules(options: RuleOptions): Rules {
  const list = new RuleList(options.ignoreCase ?? false);
  const includes = sources('--include', options.include, options.includeFrom);
  const excludes = sources('--exclude', options.exclude, options.excludeFrom);
  for (const source of includes) list.add(true, source.text, source);
  for (const source of excludes) list.add(false, source.text, source);
  for (const source of sources('--filter', options.filter, options.filterFrom)) list.addFilter(source);

  const implied = (options.include?.length ?? 0) + (options.includeFrom?.length ?? 0) > 0;
  if (implied) list.add(false, '/**', { option: '--include', text: '/**', origin: 'no --include matches' });
  return { ...list.rules, warnings: implied && excludes.length > 0 ? [MIXED] : [] };
}

const MIXED =
  'with both --include and --exclude every include rule comes before every exclude rule, whatever their order on the ' +
  'command line; --filter "+ …" and --filter "- …" keep the order they are given in';

const shown = (text: string): string => JSON.stringify(excerpt(text, 500));

function sources(option: string, given: readonly string[] = [], files: readonly FilterFile[] = []): Source[] {
  const direct = given.map((text) => ({ option, text, origin: `${option} ${shown(text)}` }));
  const read = files.flatMap(({ name, lines }) =>
    lines.map(({ text, line }) => ({
      option: `${option}-from`,
      text,
      origin: `${option}-from ${name}, line ${line}: ${shown(text)}`,
    })),
  );
  return [...direct, ...read];
}

class RuleList {
  rules: { keys: Rule[]; folders: Rule[] } = { keys: [], folders: [] };
  readonly #ignoreCase: boolean;
  /** Globs of directories that have a rule: a second one could never be the first to match. */
  readonly #folders = new Set<string>();

  constructor(ignoreCase: boolean) {
    this.#ignoreCase = ignoreCase;
  }

  addFilter(source: Source): void {
    if (source.text === '!') {
      this.rules = { keys: [], folders: [] };
      this.#folders.clear();
      return;
    }
    const sign = source.text.slice(0, 2);
    if (sign !== '+ ' && sign !== '- ') {
      throw new XsyncError('usage', `${source.origin}: not a filter rule`, {
        subject: source.option,
        remedy:
          'Write "+ PATTERN" to include, "- PATTERN" to exclude (with the space), or "!" to forget all rules so far.',
      });
    }
    this.add(sign === '+ ', source.text.slice(2), source);
  }

  add(include: boolean, glob: string, source: Source): void {
    // Excluding a directory excludes all that is in it; including one says only that it may be entered.
    const whole = glob.endsWith('/') && !include ? `${glob}**` : glob;
    const deep = whole.includes('**');
    const pattern = compile(whole, this.#ignoreCase, source);
    if (deep || !whole.endsWith('/')) {
      this.rules.keys.push({ include, pattern, origin: source.origin });
      if (include || whole === '*') {
        for (const folder of globToFolderGlobs(whole)) this.#addFolder(include, folder, source);
      }
    }
    if (deep || whole.endsWith('/')) this.#addFolder(include, whole, source);
  }

  #addFolder(include: boolean, glob: string, source: Source): void {
    // The root is always entered.
    if (glob === '/' || this.#folders.has(glob)) return;
    this.#folders.add(glob);
    this.rules.folders.push({ include, pattern: compile(glob, this.#ignoreCase, source), origin: source.origin });
  }
}

function compile(glob: string, ignoreCase: boolean, source: Source): Pattern {
  try {
    if (glob === '') throw new SyntaxError('the pattern is empty');
    return compileGlob(glob, ignoreCase);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new XsyncError('usage', `${source.origin}: ${error.message}`, { subject: source.option, cause: error });
  }
}
