/**
 * A vendor's replication configuration as a tree of plain data, whether it is JSON or XML.
 * Tests: test/rules/import.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { isRecord } from '../values.js';

/** Of XML, an element with elements in it; those that are there several times are a list. */
export type Tree = { [name: string]: unknown };

/** Deeper than any configuration. */
const MOST_DEPTH = 20;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** @throws config: the text is neither */
export function treeOf(text: string, file: string): Tree {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  const tree = trimmed.startsWith('<') ? xmlTree(trimmed, file) : jsonTree(trimmed, file);
  const inner = tree.ReplicationConfiguration;
  return isRecord(inner) ? inner : tree;
}

/** What is at a name: none, one or several. */
export function listAt(tree: Tree, name: string): unknown[] {
  const value = tree[name];
  if (value === undefined || value === null || value === '') return [];
  return Array.isArray(value) ? value : [value];
}

export function textAt(tree: Tree, name: string): string | undefined {
  const value = tree[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

export function treeAt(tree: Tree, name: string): Tree | undefined {
  const value = tree[name];
  return isRecord(value) ? value : undefined;
}

function jsonTree(text: string, file: string): Tree {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw refused(file, 'it is neither JSON nor XML');
}

function xmlTree(text: string, file: string): Tree {
  const bare = text.replace(/<\?.*?\?>|<!--.*?-->/gs, '');
  if (bare.includes('<!')) throw refused(file, 'its XML has a DOCTYPE or CDATA');
  const root: Tree = {};
  const open: { name: string; tree: Tree; text: string }[] = [{ name: '', tree: root, text: '' }];
  for (const [, before = '', closing, name = '', empty] of bare.matchAll(/([^<]*)<(\/?)([\w:.-]+)[^<>]*?(\/?)>/g)) {
    const top = open.at(-1);
    if (!top || open.length > MOST_DEPTH) throw refused(file, 'its XML is not well-formed');
    top.text += before;
    if (closing === '/') {
      open.pop();
      const parent = open.at(-1);
      if (!parent || top.name !== name) throw refused(file, 'its XML is not well-formed');
      add(parent.tree, name, Object.keys(top.tree).length > 0 ? top.tree : unescaped(top.text.trim()));
    } else if (empty === '/') add(top.tree, name, '');
    else open.push({ name, tree: {}, text: '' });
  }
  if (open.length !== 1) throw refused(file, 'its XML is not well-formed');
  return root;
}

function add(tree: Tree, name: string, value: unknown): void {
  const before = Object.hasOwn(tree, name) ? tree[name] : undefined;
  tree[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function refused(file: string, why: string): XsyncError {
  return new XsyncError('config', `${file} is not a replication configuration: ${why}`, {
    subject: file,
    remedy: 'Give the output of "aws s3api get-bucket-replication" or of OSS GetBucketReplication.',
  });
}
