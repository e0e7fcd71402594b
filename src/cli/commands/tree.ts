/** Tests: test/cli/listings.test.ts */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { flag, negated, own } from '../define.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { bareName } from '../render/rows.js';
import { type Found, type ListingFlags, listingCommand, listingOptions } from './reading.js';

type TreeFlags = ListingFlags & { all?: true; dirsOnly?: true; size?: true; report: boolean };

export function addTree({ root, io, finish }: Program): void {
  const command = root
    .command('tree <path>')
    .summary('list objects as a tree')
    .description('List everything below path as a tree, as the Unix command tree and rclone do.')
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-a, --all', 'also list names that start with a dot');
  flag(command, '-d, --dirs-only', 'list only directories');
  own(command, '--size', 'also print sizes in bytes');
  negated(command, '--no-report', 'do not print the number of directories and files');
  listingOptions(command).action(async (path: string, flags: TreeFlags) => {
    const options = { oneLevel: false, folders: true };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out } }) => {
        const top: Node = { name: '/', size: 0, children: new Map() };
        let rows = 0;
        for await (const page of pages) {
          rows += page.length;
          if (rows > MOST_ROWS) throw tooMany(path);
          for (const found of page) add(top, found, flags);
        }
        const show = out.isTerminal ? keyText : (name: string) => name;
        for (const line of lines(top, flags.size === true, show)) await out.write(`${line}\n`);
        if (flags.report) await out.write(`\n${reportOf(top, flags.dirsOnly === true)}\n`);
      }),
    );
  });
}

/** A branch is drawn only when the one after it is known, so the tree is held in memory. */
const MOST_ROWS = 1_000_000;

interface Node {
  name: string;
  /** Bytes, of a directory with all that is below it. */
  size: number;
  /** Absent for an object. */
  children?: Map<string, Node>;
}

function add(top: Node, { path, entry }: Found, { all, dirsOnly }: TreeFlags): void {
  const names = bareName(path).split('/');
  if (!all && names.some((name) => name.startsWith('.'))) return;
  let node = top;
  for (const [depth, name] of names.entries()) {
    node.size += entry?.size ?? 0;
    const isFolder = depth < names.length - 1 || entry === undefined || path.endsWith('/');
    if (!isFolder && dirsOnly) return;
    node.children ??= new Map();
    // An object and a directory may have the same name.
    const key = isFolder ? `${name}/` : name;
    const next = node.children.get(key) ?? { name, size: 0, ...(isFolder && { children: new Map<string, Node>() }) };
    node.children.set(key, next);
    node = next;
  }
  if (!node.children) node.size = entry?.size ?? 0;
}

function* lines(node: Node, sizes: boolean, show: (name: string) => string): Generator<string> {
  yield `${sizes ? `[${String(node.size).padStart(11)}]  ` : ''}${show(node.name)}`;
  const children = [...(node.children?.values() ?? [])].sort((a, b) => compareKeys(a.name, b.name));
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1;
    let lead = isLast ? '└── ' : '├── ';
    for (const line of lines(child, sizes, show)) {
      yield lead + line;
      lead = isLast ? '    ' : '│   ';
    }
  }
}

function reportOf(top: Node, dirsOnly: boolean): string {
  let folders = 0;
  let files = 0;
  const open = [top];
  for (let node = open.pop(); node; node = open.pop()) {
    for (const child of node.children?.values() ?? []) {
      if (child.children) folders++;
      else files++;
      open.push(child);
    }
  }
  return dirsOnly ? `${folders} directories` : `${folders} directories, ${files} files`;
}

function tooMany(path: string): XsyncError {
  return new XsyncError('limit', `${path} has more than 1,000,000 entries, too many for a tree`, {
    subject: path,
    remedy: 'Use xsync ls, or a folder below it.',
  });
}

const EXAMPLES = `
Examples:
  xsync tree lab:bucket/2024
  xsync tree ./photos --dirs-only`;
