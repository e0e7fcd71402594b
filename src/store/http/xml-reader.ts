/**
 * Reads elements from bytes, see xml.ts. It makes strings only for the requested fields, and none for numbers and times.
 * Tests: test/store/http/xml.test.ts
 */
import { isUtf8 } from 'node:buffer';
import { XsyncError } from '../../model/error.js';
import { isoTime } from './iso-time.js';
import { timeIn, wholeNumber } from './rows.js';

/** A record as it is read. */
export type Fields = Record<string, string | number | undefined>;
/** How the text of a field is read. */
export type Kind = 'text' | 'quoted' | 'count' | 'time';
/** A field to read. */
export interface Name {
  text: string;
  bytes: Buffer;
  kind: Kind;
  /** The last text: most fields other than keys and ETags repeat, and one string serves them all. */
  last: string;
}
/** A repeated record to read. */
export interface RecordName extends Name {
  list: Fields[];
  of: Name[];
  /** A record in which every field is absent: copies of it have one shape. */
  blank: Fields;
}

export function named(text: string, kind: Kind = 'text'): Name {
  return { text, bytes: Buffer.from(text), kind, last: '' };
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
const DOT = 0x2e;
const ZULU = 0x5a;
const NO_RECORDS: readonly RecordName[] = [];
/** The value of a field that is there twice with different values. */
const NOTHING: Readonly<Record<Kind, string | number>> = { text: '', quoted: '', count: Number.NaN, time: Number.NaN };
const ENTITIES = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

/** Records of several lists, in the order of the document. */
export type Sequence = { list: string; fields: Fields }[];

export class Reader {
  readonly #bytes: Buffer;
  readonly #sequence: Sequence | undefined;
  #at = 0;
  /** The name of the tag read last, and whether it is self-closing. */
  #nameStart = 0;
  #nameEnd = 0;
  #empty = false;

  /** @param sequence takes every record as well */
  constructor(bytes: Buffer, sequence?: Sequence) {
    this.#bytes = bytes;
    this.#sequence = sequence;
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
  children(names: readonly Name[], into: Fields, records: readonly RecordName[], inside: readonly Name[]): void {
    if (this.#empty) return;
    const start = this.#nameStart;
    const end = this.#nameEnd;
    let next = 0;
    while (this.#toTag()) {
      this.#openTag();
      const record = records.length > 0 ? records[this.#find(records, 0)] : undefined;
      if (record) {
        const fields: Fields = { ...record.blank };
        this.children(record.of, fields, NO_RECORDS, inside);
        record.list.push(fields);
        this.#sequence?.push({ list: record.text, fields });
        continue;
      }
      // Records have their fields in the same order, mostly ours.
      const found = this.#find(names, next);
      const field = names[found];
      if (field) {
        next = found + 1;
        const value = this.#value(field);
        const before = into[field.text];
        into[field.text] = before === undefined || Object.is(before, value) ? value : NOTHING[field.kind];
      } else if (inside.length > 0 && this.#find(inside, 0) >= 0) this.children(names, into, records, inside);
      else this.#skip(0);
    }
    this.#closeTag(start, end);
  }

  /** The index of the name of the tag read last, sought from `from` on; -1 if it is none of them. */
  #find(names: readonly Name[], from: number): number {
    const { length } = names;
    for (let i = 0; i < length; i++) {
      const at = from + i < length ? from + i : from + i - length;
      if (this.#isNamed(names[at] as Name)) return at;
    }
    return -1;
  }

  #isNamed({ bytes: name }: Name): boolean {
    const bytes = this.#bytes;
    const start = this.#nameStart;
    const { length } = name;
    if (this.#nameEnd - start !== length) return false;
    for (let i = 0; i < length; i++) if (name[i] !== bytes[start + i]) return false;
    return true;
  }

  #value(field: Name): string | number {
    switch (field.kind) {
      case 'count':
        return this.#count();
      case 'time':
        return this.#time();
      case 'quoted':
        return this.#leaf(true);
      default:
        return this.#repeats(field.last) ? field.last : this.#remembered(field);
    }
  }

  #remembered(field: Name): string {
    const from = this.#at;
    const text = this.#leaf();
    const tag = this.#nameEnd - this.#nameStart + '</>'.length;
    // Only what has a byte for each character, so neither entities nor markup, is compared with the bytes that follow.
    field.last = this.#at - from === text.length + tag ? text : '';
    return text;
  }

  /** Whether the text up to the close tag is `last`; then it has been read. */
  #repeats(last: string): boolean {
    const { length } = last;
    if (length === 0 || this.#empty) return false;
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes[at + length] !== LT || bytes[at + length + 1] !== SLASH) return false;
    // From the end, where keys differ.
    for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== last.charCodeAt(i)) return false;
    this.#at = at + length;
    this.#closeTag(this.#nameStart, this.#nameEnd);
    return true;
  }

  /** The element whose open tag was read last as a whole number; NaN if it is none, or too large to be exact. */
  #count(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let count = 0;
    for (let digit = digitOf(bytes[at]); digit >= 0; digit = digitOf(bytes[++at])) count = count * 10 + digit;
    if (this.#empty || at === this.#at || !this.#closes(at)) return wholeNumber(this.#leaf()) ?? Number.NaN;
    return Number.isSafeInteger(count) ? count : Number.NaN;
  }

  /** The same as a time. */
  #time(): number {
    const bytes = this.#bytes;
    const at = this.#at;
    const fraction = bytes[at + 19] === DOT ? 4 : 0;
    const length = 20 + fraction;
    const ms = this.#empty || bytes[at + length - 1] !== ZULU ? Number.NaN : isoTime(bytes, at, fraction > 0);
    if (Number.isNaN(ms) || !this.#closes(at + length)) return timeIn(this.#leaf()) ?? Number.NaN;
    return ms;
  }

  /** Reads the close tag of the element whose open tag was read last, if it is what stands there. */
  #closes(at: number): boolean {
    const bytes = this.#bytes;
    if (bytes[at] !== LT || bytes[at + 1] !== SLASH) return false;
    this.#at = at;
    this.#closeTag(this.#nameStart, this.#nameEnd);
    return true;
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

/** -1 for a byte that is no digit. */
function digitOf(byte: number | undefined): number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}
