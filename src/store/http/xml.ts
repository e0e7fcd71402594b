/**
 * A strict reader for the responses of S3 and OSS: a root with plain fields and repeated records of plain fields, such
 * as a listing page. It reads bytes and creates strings only for the requested fields. This is about thirty times
 * cheaper than a general parser; parsing is most of the cost of a listing.
 *
 * Strict: tags must balance, entities must exist, and the document must end with its root. Anything else, and so every
 * truncated page, is `invalid-response`. Text is taken verbatim, without trimming or line-end normalization, because
 * keys may contain white space and line ends. A field that is there twice with different values is empty.
 */
import { isUtf8 } from 'node:buffer';
import { XsyncError } from '../../model/error.js';

/** What to read from a document: the root's own fields, and the repeated records with their fields. */
export interface XmlShape<F extends string, L extends Record<string, readonly string[]>> {
  root: string;
  fields: readonly F[];
  lists: L;
  /** Fields of records whose surrounding quotation marks are removed, such as a listing's ETags. */
  quoted?: readonly string[];
  /** Elements that are read as if their content stood in their place, such as a `TagSet`. */
  inside?: readonly string[];
}

export interface XmlAnswer<F extends string, L extends Record<string, readonly string[]>> {
  fields: Partial<Record<F, string>>;
  lists: { [K in keyof L]: Partial<Record<L[K][number], string>>[] };
  /** The records of all lists, in the order of the document. */
  sequence: { [K in keyof L]: { list: K; fields: Partial<Record<L[K][number], string>> } }[keyof L][];
}

type Fields = Record<string, string>;
interface Name {
  text: string;
  bytes: Buffer;
  quoted?: boolean;
}

/** Reads a whole document of the given shape. @throws invalid-response: it is malformed or has another root */
export function readXml<F extends string, L extends Record<string, readonly string[]>>(
  bytes: Buffer,
  shape: XmlShape<F, L>,
): XmlAnswer<F, L> {
  const fields: Fields = {};
  const lists: Record<string, Fields[]> = {};
  const records = Object.entries(shape.lists).map(([name, of]) => {
    const list: Fields[] = [];
    lists[name] = list;
    return { ...named(name), list, of: of.map((field) => named(field, shape.quoted?.includes(field))) };
  });
  const reader = new Reader(bytes);
  if (isWebPage(bytes)) throw webPageError();
  if (reader.root() !== shape.root) reader.fail(`the root is not <${shape.root}>`);
  reader.children(
    shape.fields.map((field) => named(field)),
    fields,
    records,
    (shape.inside ?? []).map((name) => named(name)),
  );
  reader.end();
  return { fields, lists, sequence: reader.sequence } as XmlAnswer<F, L>;
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

function named(text: string, quoted = false): Name {
  return { text, bytes: Buffer.from(text), quoted };
}

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const AMP = 0x26;
const BANG = 0x21;
const QUESTION = 0x3f;
const MAX_DEPTH = 100;
const QUOTE = 0x22;
const QUOT = Buffer.from('&quot;');
/** `&#x10ffff;` and `&#1114111;`. */
const LONGEST_ENTITY = 10;
const ENTITIES = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

class Reader {
  readonly #bytes: Buffer;
  readonly sequence: { list: string; fields: Fields }[] = [];
  #at = 0;
  /** The name of the tag read last, and whether it is self-closing. */
  #nameStart = 0;
  #nameEnd = 0;
  #empty = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  fail(why: string): never {
    throw new XsyncError('invalid-response', `the response is not the expected XML: ${why} (byte ${this.#at})`);
  }

  /** Skips the prolog, reads the root's open tag and returns its name. */
  root(): string {
    if (this.#bytes[0] === 0xef && this.#bytes[1] === 0xbb && this.#bytes[2] === 0xbf) this.#at = 3;
    this.#between();
    if (this.#bytes[this.#at] !== LT) this.fail('no root element');
    this.#openTag();
    return this.#bytes.toString('latin1', this.#nameStart, this.#nameEnd);
  }

  /** Only white space, comments and instructions may follow the root. */
  end(): void {
    this.#between();
    if (this.#at < this.#bytes.length) this.fail('something follows the root');
  }

  /** Reads the element whose open tag was read last, through its close tag. */
  children(
    names: readonly Name[],
    into: Fields,
    records: readonly (Name & { list: Fields[]; of: Name[] })[],
    inside: readonly Name[],
  ): void {
    if (this.#empty) return;
    const start = this.#nameStart;
    const end = this.#nameEnd;
    while (this.#toTag()) {
      this.#openTag();
      const record = records.length > 0 ? this.#find(records) : undefined;
      const field = record ? undefined : this.#find(names);
      if (record) {
        const fields: Fields = {};
        this.children(record.of, fields, [], inside);
        record.list.push(fields);
        this.sequence.push({ list: record.text, fields });
      } else if (field) {
        const text = this.#leaf(field.quoted);
        const before = into[field.text];
        into[field.text] = before === undefined || before === text ? text : '';
      } else if (inside.length > 0 && this.#find(inside)) this.children(names, into, records, inside);
      else this.#skip(0);
    }
    this.#closeTag(start, end);
  }

  #find<N extends Name>(names: readonly N[]): N | undefined {
    const bytes = this.#bytes;
    const start = this.#nameStart;
    const length = this.#nameEnd - start;
    next: for (const name of names) {
      if (name.bytes.length !== length) continue;
      for (let i = 0; i < length; i++) if (name.bytes[i] !== bytes[start + i]) continue next;
      return name;
    }
    return undefined;
  }

  /** Skips the whole element whose open tag was read last. */
  #skip(depth: number): void {
    if (this.#empty) return;
    if (depth > MAX_DEPTH) this.fail('it is nested too deeply');
    const start = this.#nameStart;
    const end = this.#nameEnd;
    while (this.#toTag()) {
      this.#openTag();
      this.#skip(depth + 1);
    }
    this.#closeTag(start, end);
  }

  /** The text of the element whose open tag was read last, through its close tag. */
  #leaf(quoted = false): string {
    if (this.#empty) return '';
    const start = this.#nameStart;
    const end = this.#nameEnd;
    let text = this.#text(quoted);
    while (this.#bytes[this.#at + 1] !== SLASH) {
      const cdata = this.#markup();
      if (cdata === undefined) this.fail('an element in place of text');
      text += cdata + this.#text();
    }
    this.#closeTag(start, end);
    return text;
  }

  /** Text up to the next `<` with entities resolved; `quoted` removes the quotation marks around it. */
  #text(quoted = false): string {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    const length = bytes.length;
    let high = 0;
    let entities = 0;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === LT) break;
      if (byte === AMP) entities++;
      high |= byte;
    }
    if (at === length) this.fail('it ends within text');
    this.#at = at;
    // Removed from the bytes: a slice of a string would keep the whole string in memory.
    const mark = quoted ? this.#marks(from, at) : 0;
    if (mark === QUOT.length) entities -= 2;
    const text = this.#string(from + mark, at - mark, high);
    return entities > 0 ? this.#resolve(text) : text;
  }

  /** Length in bytes of the quotation mark at each end; 0 unless both ends have one. */
  #marks(from: number, to: number): number {
    const bytes = this.#bytes;
    if (to - from >= 2 && bytes[from] === QUOTE && bytes[to - 1] === QUOTE) return 1;
    const width = QUOT.length;
    if (to - from < 2 * width) return 0;
    for (let i = 0; i < width; i++) if (bytes[from + i] !== QUOT[i] || bytes[to - width + i] !== QUOT[i]) return 0;
    return width;
  }

  #string(from: number, to: number, high: number): string {
    if (high < 0x80) return this.#bytes.toString('latin1', from, to);
    if (!isUtf8(this.#bytes.subarray(from, to))) this.fail('it is not UTF-8');
    return this.#bytes.toString('utf8', from, to);
  }

  #resolve(text: string): string {
    let resolved = '';
    let from = 0;
    for (let amp = text.indexOf('&'); amp >= 0; amp = text.indexOf('&', from)) {
      const semicolon = text.slice(amp, amp + LONGEST_ENTITY).indexOf(';');
      if (semicolon < 0) this.fail('an entity without its end');
      resolved += text.slice(from, amp) + this.#entity(text.slice(amp + 1, amp + semicolon));
      from = amp + semicolon + 1;
    }
    return resolved + text.slice(from);
  }

  #entity(name: string): string {
    const known = ENTITIES.get(name);
    if (known !== undefined) return known;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const point = number ? Number.parseInt(number[1] ?? number[2] ?? '', number[1] ? 16 : 10) : -1;
    if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) this.fail('an unknown entity');
    return String.fromCodePoint(point);
  }

  /** Skips text, comments, CDATA and instructions to the next tag. True for an open tag, false for a close tag. */
  #toTag(): boolean {
    const bytes = this.#bytes;
    for (;;) {
      let byte = bytes[this.#at];
      while (byte !== LT) {
        if (byte === undefined) this.fail('it ends within an element');
        byte = bytes[++this.#at];
      }
      const next = bytes[this.#at + 1];
      if (next === SLASH) return false;
      if (next !== BANG && next !== QUESTION) return true;
      this.#markup();
    }
  }

  /** Skips white space, comments and instructions outside the root. */
  #between(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (isSpace(byte)) this.#at++;
      else if (byte === LT && this.#markup() === '') continue;
      else return;
    }
  }

  /** Skips a comment or instruction (returns '') or a CDATA section (returns its text); undefined for anything else. */
  #markup(): string | undefined {
    const bytes = this.#bytes;
    const second = bytes[this.#at + 1];
    if (second === QUESTION) return this.#through('?>', 2) && '';
    if (second !== BANG) return undefined;
    if (bytes.toString('latin1', this.#at + 2, this.#at + 4) === '--') return this.#through('-->', 4) && '';
    if (bytes.toString('latin1', this.#at + 2, this.#at + 9) !== '[CDATA[') this.fail('a declaration');
    const from = this.#at + 9;
    this.#through(']]>', 9);
    return this.#string(from, this.#at - 3, 0x80);
  }

  #through(closing: string, opening: number): true {
    const found = this.#bytes.indexOf(closing, this.#at + opening, 'latin1');
    if (found < 0) this.fail(`no ${closing}`);
    this.#at = found + closing.length;
    return true;
  }

  #openTag(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    this.#nameStart = at;
    let byte = bytes[at];
    // Letters are above `>`, and names are mostly letters, so most bytes need one comparison.
    while (byte !== undefined && (byte > GT || (byte !== GT && byte !== SLASH && byte !== LT && !isSpace(byte)))) {
      byte = bytes[++at];
    }
    if (at === this.#nameStart) this.fail('a tag without a name');
    this.#nameEnd = at;
    for (let quote = 0; byte !== GT || quote !== 0; byte = bytes[++at]) {
      if (byte === undefined || byte === LT) this.fail('a broken tag');
      if (quote === 0 && (byte === 0x22 || byte === 0x27)) quote = byte;
      else if (byte === quote) quote = 0;
    }
    this.#empty = bytes[at - 1] === SLASH;
    this.#at = at + 1;
  }

  #closeTag(nameStart: number, nameEnd: number): void {
    const bytes = this.#bytes;
    let at = this.#at + 2;
    for (let i = nameStart; i < nameEnd; i++, at++) {
      if (bytes[i] !== bytes[at]) this.fail('tags do not balance');
    }
    while (isSpace(bytes[at])) at++;
    if (bytes[at] !== GT) this.fail('tags do not balance');
    this.#at = at + 1;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
