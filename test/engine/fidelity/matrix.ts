/**
 * What a copy keeps of each attribute, between all kinds of stores: objects are put in place without xsync, copied with
 * every option of fidelity on, and looked at without xsync. docs/fidelity.md shows the result.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runPair } from '../../../src/engine/run.js';
import { openManifest } from '../../../src/manifest/sqlite/open.js';
import type { AttributeName, Fidelity } from '../../../src/model/attributes.js';
import type { CarryPolicy } from '../../../src/model/carry-policy.js';
import { followed, linksOf } from '../../../src/open/links.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { OPTIONS, side } from '../support.js';
import type { Places } from './places.js';
import {
  bytesAt,
  diskSite,
  type Given,
  type MatrixKind,
  MTIME,
  type Service,
  type Site,
  strictSite,
  utf8,
} from './sites.js';

export type { Raw, Site } from './sites.js';

/** An object of one row: what its source gives it. */
interface Row {
  title: string;
  /** Name of the object. */
  key: string;
  /** What is compared, of `Raw`. */
  field: string;
  /** In the report of a run; absent: the run reports nothing about it. */
  attribute?: AttributeName;
  /** Absent: this kind cannot hold it. */
  s3?: Given;
  oss?: Given;
  disk?: Given;
}

const UNTIL = Date.UTC(2099, 0, 1);
const LONG = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`entry-${i}`, `the text of entry number ${i}`]));
const SHA256: Given['checksum'] = {
  ...{ name: 'sha256', type: 'FULL_OBJECT' },
  value: createHash('sha256').update(bytesAt('sha256')).digest('base64'),
};

const HEADERS = {
  'Content-Type': 'text/x-odd',
  'Content-Encoding': 'br',
  'Content-Language': 'de',
  'Content-Disposition': 'inline',
  'Cache-Control': 'no-cache',
  Expires: 'Thu, 01 Dec 2044 16:00:00 GMT',
};

const both = (input: Given): Pick<Row, 's3' | 'oss'> => ({ s3: input, oss: input });
const metadata = (title: string, key: string, given: Pick<Row, 's3' | 'oss'>): Row => ({
  ...{ title: `user metadata: ${title}`, key, field: 'metadata', attribute: 'metadata' },
  ...given,
});
const tags = (title: string, key: string, given: Pick<Row, 's3' | 'oss'>): Row => ({
  ...{ title: `tags: ${title}`, key, field: 'tags', attribute: 'tags' },
  ...given,
});
const acl = (name: string, given: Pick<Row, 's3' | 'oss'>): Row => ({
  ...{ title: `ACL: ${name}`, key: `acl-${name}`, field: 'acl', attribute: 'acl' },
  ...given,
});
const lock = (title: string, key: string, given: Pick<Row, 's3' | 'oss'>): Row => ({
  ...{ title: `lock: ${title}`, key, field: 'lock', attribute: 'lock' },
  ...given,
});
const storageClass = (name: string, service: Service): Row => ({
  ...{ title: `storage class: ${name}`, key: `class-${name}`, field: 'class', attribute: 'storage-class' },
  [service]: { storageClass: name },
});

export const ROWS: readonly Row[] = [
  ...Object.entries(HEADERS).map(([name, value]) => ({
    ...{ title: name, key: name, field: name.toLowerCase() },
    ...both({ headers: { [name.toLowerCase()]: value } }),
  })),
  { title: "the source's time", key: 'time', field: 'time', ...both({ mtimeMs: MTIME }), disk: {} },
  metadata('ASCII', 'ascii', both({ metadata: { owner: 'me' } })),
  metadata('values beyond ASCII', 'utf8', both({ metadata: { owner: utf8('Zoë 中') } })),
  metadata('`_` in a name', 'underscore', { s3: { metadata: { my_key: '1' } } }),
  metadata('over 2 KB', 'long', { oss: { metadata: LONG } }),
  tags('letters and digits', 'tags', both({ tags: [{ key: 'a b', value: '1' }] })),
  tags('other characters', 'odd-tags', { s3: { tags: [{ key: 'größe', value: 'a@b' }] } }),
  acl('public-read', both({ acl: 'public-read' })),
  acl('authenticated-read', { s3: { acl: 'authenticated-read' } }),
  acl('default', { oss: { acl: 'default' } }),
  lock('COMPLIANCE', 'compliance', both({ lock: { mode: 'COMPLIANCE', untilMs: UNTIL } })),
  lock('GOVERNANCE', 'governance', { s3: { lock: { mode: 'GOVERNANCE', untilMs: UNTIL } } }),
  lock('legal hold', 'hold', both({ lock: { hold: true } })),
  storageClass('STANDARD_IA', 's3'),
  storageClass('INTELLIGENT_TIERING', 's3'),
  storageClass('IA', 'oss'),
  {
    ...{ title: 'website redirect', key: 'redirect', field: 'redirect', attribute: 'redirect' },
    s3: { redirect: '/elsewhere' },
  },
  {
    ...{ title: 'symbolic link', key: 'link', field: 'link', attribute: 'link' },
    oss: { linkTo: 'time' },
    disk: { linkTo: 'time' },
  },
  {
    ...{ title: 'appendable object', key: 'appendable', field: 'type', attribute: 'type' },
    oss: { appendable: true },
  },
  { title: 'checksum: SHA-256', key: 'sha256', field: 'checksum', s3: { checksum: SHA256 } },
  { title: 'checksum: CRC-64', key: 'crc64', field: 'checksum', oss: {} },
  {
    ...{ title: 'encryption with a key of KMS', key: 'kms', field: 'encryption' },
    s3: { encryption: { method: 'aws:kms', keyId: 'key-1' } },
    oss: { encryption: { method: 'KMS', keyId: 'key-1' } },
  },
  {
    title: 'archived, not restored',
    key: 'archived',
    field: 'class',
    s3: { storageClass: 'GLACIER' },
    oss: { storageClass: 'Archive' },
  },
];

const POLICY: CarryPolicy = {
  ...{ metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn', storageClass: 'map' },
};

/**
 * `none`: the kind of the source has no such thing. `left out`: the object is not copied. `of the destination`: as the
 * destination is set up.
 */
export type Verdict = 'kept' | 'mapped' | 'lost' | 'left out' | 'of the destination' | 'none';

export interface Cell {
  verdict: Verdict;
  /** As the run reported it. */
  reasons: string[];
}

/** Copies all rows. @returns a cell for each row, in their order */
export async function compareAll(from: Site, to: Site, rows: readonly Row[] = ROWS): Promise<Cell[]> {
  for (const row of rows) {
    const input = row[from.kind];
    if (input) await from.put(row.key, input);
  }
  const told = new Map<string, Fidelity | undefined>();
  const skipped = new Map<string, string>();
  await copyAll(
    from.store,
    to.store,
    (key, fidelity) => told.set(key, fidelity),
    (key, reason) => skipped.set(key, reason),
  );
  const cells: Cell[] = [];
  for (const row of rows) cells.push(await cellOf(row, from, to, { told, skipped }));
  return cells;
}

async function copyAll(
  from: ObjectStore,
  to: ObjectStore,
  copied: (key: string, fidelity: Fidelity | undefined) => void,
  skipped: (key: string, reason: string) => void,
): Promise<void> {
  const place = ({ identity: { kind, endpoint, bucket } }: ObjectStore) => ({ kind, endpoint, bucket, prefix: '' });
  const manifest = openManifest(':memory:', { source: place(from), dest: place(to) });
  // Links are kept where both sides have them, and otherwise followed as by default.
  const { follows, links } = linksOf(from.capabilities.links && to.capabilities.links ? 'keep' : 'auto', {
    source: from,
    dest: to,
  });
  const sides = { source: followed(side(from, '', 'from'), follows), dest: side(to, '', 'to'), links };
  const options = { ...OPTIONS, carry: POLICY, transfers: 1 };
  try {
    await runPair({ ...sides, manifest, settings: 'x', single: false }, options, (event) => {
      if (event.type === 'copied') copied(event.key, event.fidelity);
      if (event.type === 'skip') skipped(event.key, event.detail ?? event.reason);
      if (event.type === 'failed') throw new Error(`${event.key}: ${event.message}`);
    });
  } finally {
    manifest.close();
  }
}

/** What every service does for itself. */
const OF_THE_SERVICE = new Set(['encryption', 'checksum']);

interface Told {
  told: ReadonlyMap<string, Fidelity | undefined>;
  skipped: ReadonlyMap<string, string>;
}

async function cellOf(row: Row, from: Site, to: Site, { told, skipped }: Told): Promise<Cell> {
  const before = await from.see(row.key);
  if (!before) return { verdict: 'none', reasons: [] };
  const after = await to.see(row.key);
  if (!after) return { verdict: 'left out', reasons: [skipped.get(row.key) ?? 'unknown'] };
  const fidelity = told.get(row.key);
  const notes = (kind: 'mapped' | 'lost') =>
    (fidelity?.[kind] ?? []).filter(({ attribute }) => attribute === row.attribute).map(({ reason }) => reason);
  const same = before[row.field] === after[row.field];
  if (row.attribute === undefined)
    return { verdict: same ? 'kept' : OF_THE_SERVICE.has(row.field) ? 'of the destination' : 'lost', reasons: [] };
  const [mapped, lost] = [notes('mapped'), notes('lost')];
  const verdict = lost.length > 0 ? 'lost' : mapped.length > 0 ? 'mapped' : 'kept';
  // The report of the run must agree with what is there. Without ACLs, the run says so once.
  const silent = row.attribute === 'acl' && to.kind === 'disk';
  const honest = verdict === 'kept' ? same : verdict === 'mapped' || !same;
  if (!honest && !silent)
    throw new Error(`${row.title}: reported ${verdict}; ${before[row.field]} is ${after[row.field]}`);
  return { verdict: silent && !same ? 'lost' : verdict, reasons: [...mapped, ...lost] };
}

export interface Column {
  title: string;
  cells: readonly Cell[];
}

const KINDS: readonly MatrixKind[] = ['s3', 'oss', 'disk'];
const TITLES: Record<MatrixKind, string> = { s3: 'S3', oss: 'OSS', disk: 'disk' };

/** Every pair, and what a real server gave. */
export async function columns(places: Places): Promise<Column[]> {
  const found: Column[] = [];
  for (const from of KINDS) {
    for (const to of KINDS) {
      const cells = await compareAll(await site(places, from), await site(places, to));
      found.push({ title: `${TITLES[from]} → ${TITLES[to]}`, cells });
    }
  }
  const real = JSON.parse(readFileSync(CEPH, 'utf8')) as Record<string, Cell>;
  const cells = ROWS.map(({ title }) => real[title] ?? { verdict: 'none' as const, reasons: [] });
  return [...found, { title: 'Ceph → Ceph', cells }];
}

/** What test/contract/fidelity.real.ts found, by the title of the row. */
export const CEPH = new URL('ceph.json', import.meta.url);

async function site(places: Places, kind: MatrixKind): Promise<Site> {
  const where = await places.open(kind === 'disk' ? 'local' : kind, { objectLock: true });
  return kind === 'disk' ? diskSite(where) : strictSite(kind, where, places.server);
}

/** As Markdown: a table, and the reasons below it. */
export function tables(all: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = ROWS.map(({ title }, row) => line([title, ...all.map(({ cells }) => shown(cells[row]))]));
  const reasons = new Map<string, string[]>();
  for (const { title, cells } of all) {
    for (const [index, { reasons: own }] of cells.entries()) {
      const text = own.map((reason) => `${ROWS[index]?.title}: ${reason}`).join('; ');
      if (text !== '') reasons.set(text, [...(reasons.get(text) ?? []), title]);
    }
  }
  return [
    line(['', ...all.map(({ title }) => title)]),
    line(['---', ...all.map(() => '---')]),
    ...rows,
    '',
    'What the runs reported:',
    '',
    ...[...reasons].sort(([a], [b]) => order(a) - order(b)).map(([text, where]) => `- ${text} (${where.join(', ')})`),
    '',
  ].join('\n');
}

function order(text: string): number {
  return ROWS.findIndex(({ title }) => text.startsWith(`${title}: `));
}

function shown(cell: Cell | undefined): string {
  if (!cell || cell.verdict === 'none') return '';
  return cell.verdict === 'kept' ? 'kept' : `**${cell.verdict}**`;
}

const [BEGIN, END] = ['<!-- from runs: npm run docs:fidelity -->\n', '<!-- end of what is from runs -->\n'];

/** The page with its tables anew. */
export function withTables(page: string, text: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/fidelity.md has lost the marks of its tables');
  return `${page.slice(0, from)}${BEGIN}\n${text}\n${page.slice(to)}`;
}
