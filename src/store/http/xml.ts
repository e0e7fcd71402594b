/**
 * A strict reader for the responses of S3 and OSS: a root with plain fields and repeated records of plain fields, such
 * as a listing page. It reads bytes and creates strings only for the requested fields. This is about thirty times
 * cheaper than a general parser; parsing is most of the cost of a listing.
 *
 * Strict: tags must balance, entities must exist, and the document must end with its root. Anything else, and so every
 * truncated page, is `invalid-response`. Text is taken verbatim, without trimming or line-end normalization, because
 * keys may contain white space and line ends. A field that is there twice with different values is empty.
 */
import { XsyncError } from '../../model/error.js';
import { type Fields, type Kind, named, Reader, type RecordName, type Sequence } from './xml-reader.js';

/** What to read from a document: the root's own fields, and the repeated records with their fields. */
export interface XmlShape<
  F extends string,
  L extends Record<string, readonly string[]>,
  N extends Record<string, 'count' | 'time'> = Record<never, never>,
> {
  root: string;
  fields: readonly F[];
  lists: L;
  /** Fields of records whose surrounding quotation marks are removed, such as a listing's ETags. */
  quoted?: readonly string[];
  /** Elements that are read as if their content stood in their place, such as a `TagSet`. */
  inside?: readonly string[];
  /** Fields of records that are whole numbers, or times in milliseconds since 1970. What is none is NaN. */
  numbers?: N;
  /** The order of the document among several lists is wanted. */
  sequence?: true;
}

export interface XmlAnswer<
  F extends string,
  L extends Record<string, readonly string[]>,
  N extends Record<string, 'count' | 'time'> = Record<never, never>,
> {
  fields: Partial<Record<F, string>>;
  lists: { [K in keyof L]: RecordOf<L[K][number], N>[] };
  /** The records of all lists, in the order of the document; empty unless the shape asks for it. */
  sequence: { [K in keyof L]: { list: K; fields: RecordOf<L[K][number], N> } }[keyof L][];
}

type RecordOf<F extends string, N> = { [Field in F]?: Field extends keyof N ? number : string };

/** Reads a whole document of the given shape. @throws invalid-response: it is malformed or has another root */
export function readXml<
  F extends string,
  L extends Record<string, readonly string[]>,
  N extends Record<string, 'count' | 'time'> = Record<never, never>,
>(bytes: Buffer, shape: XmlShape<F, L, N>): XmlAnswer<F, L, N> {
  const fields: Fields = {};
  const lists: Record<string, Fields[]> = {};
  const kinds: Readonly<Record<string, Kind>> = { ...shape.numbers };
  const kindOf = (field: string): Kind => kinds[field] ?? (shape.quoted?.includes(field) ? 'quoted' : 'text');
  const records = Object.entries(shape.lists).map(([name, of]): RecordName => {
    const list: Fields[] = [];
    lists[name] = list;
    const blank: Fields = Object.fromEntries(of.map((field) => [field, undefined]));
    return { ...named(name), list, blank, of: of.map((field) => named(field, kindOf(field))) };
  });
  const sequence: Sequence = [];
  const reader = new Reader(bytes, shape.sequence && sequence);
  if (isWebPage(bytes)) throw webPageError();
  if (reader.root() !== shape.root) reader.fail(`the root is not <${shape.root}>`);
  reader.children(
    shape.fields.map((field) => named(field)),
    fields,
    records,
    (shape.inside ?? []).map((name) => named(name)),
  );
  reader.end();
  return { fields, lists, sequence } as XmlAnswer<F, L, N>;
}

/** The root element's name, undefined if the bytes do not start as XML. Tells an error from a result. */
export function xmlRoot(bytes: Buffer): string | undefined {
  try {
    return new Reader(bytes).root();
  } catch {
    return undefined;
  }
}

/** Enough to recognize a document by its start. */
const HEAD_BYTES = 256;

/** For messages about an answer that is HTML. */
export const WEB_PAGE = {
  what: 'a web page came in place of the response of the store',
  remedy: 'Check the host and port of the endpoint: a console, a login page or a proxy may answer there.',
} as const;

/** Whether the bytes start like HTML. */
export function isWebPage(bytes: Uint8Array): boolean {
  if (bytes.byteLength === 0) return false;
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('utf8');
  return /^\s*<(?:!doctype\s+html|html|head|body)\b/i.test(head);
}

export function webPageError(): XsyncError {
  return new XsyncError('invalid-response', WEB_PAGE.what, { remedy: WEB_PAGE.remedy });
}
