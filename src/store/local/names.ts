/**
 * How keys are spelled as file names. File names are bytes, and keys are Unicode. Without an encoding a name is the UTF-8
 * of its part of the key, and paths are strings. With one, names are in that encoding, and paths are buffers. A name
 * that does not decode, or would be written differently, has no key.
 */
import { XsyncError } from '../../model/error.js';

/** Bytes where names are not UTF-8. */
export type Path = string | Buffer;

interface Codec {
  encode(text: string): Buffer;
  decode(bytes: Buffer): string;
}

const SLASH = Buffer.from('/');
/** Encodings that are the default under any of its names. */
const UTF8 = /^utf-?8$/i;

/** A name without a key, as text: `\xNN` for each byte that is not UTF-8, and `\\` for a backslash. */
export function escapeName(name: Buffer): string {
  const escaped = (bytes: Buffer) => [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  let text = '';
  for (let at = 0; at < name.length; ) {
    const size = [1, 2, 3, 4].find((n) => isUtf8(name.subarray(at, at + n)) && at + n <= name.length) ?? 0;
    const bytes = name.subarray(at, at + Math.max(1, size));
    text += size === 0 ? escaped(bytes) : bytes.toString('utf8').replace('\\', '\\\\');
    at += bytes.length;
  }
  return text;
}

/** The bytes of a name that `escapeName` made; undefined if it made none of it. */
export function unescapeName(text: string): Buffer | undefined {
  if (!/\\x[0-9a-f]{2}/.test(text)) return undefined;
  const parts = text.split(/(\\x[0-9a-f]{2}|\\\\)/).map((part) => {
    if (part === '\\\\') return Buffer.from('\\');
    return part.startsWith('\\x') ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part);
  });
  return Buffer.concat(parts);
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}

export class Names {
  readonly #codec: Codec | undefined;
  /** For messages; absent for UTF-8. */
  readonly encoding: string | undefined;

  /** UTF-8 unless a codec is given. */
  constructor(encoding?: string, codec?: Codec) {
    this.encoding = encoding;
    this.#codec = codec;
  }

  /** The path of a key, or of a part of it, below a folder. The key must have passed `whyNot`. */
  join(folder: Path, key: string): Path {
    if (!this.#codec && typeof folder === 'string') return `${folder === '/' ? '' : folder}/${key}`;
    const start = folder.toString('latin1') === '/' ? Buffer.alloc(0) : Buffer.from(folder);
    return Buffer.concat([start, SLASH, this.#encode(key)]);
  }

  /** Why the key has no name in the encoding; undefined if it has one. */
  whyNot(key: string): string | undefined {
    if (!this.#codec) return undefined;
    const plain = key.split('/').every((part) => {
      const bytes = this.#encode(part);
      return !bytes.includes(0) && !bytes.includes(SLASH) && this.#codec?.decode(bytes) === part;
    });
    return plain ? undefined : `has characters that ${this.encoding} does not have`;
  }

  /** The part of the key that a file name stands for; undefined if there is none. */
  decode(name: Buffer): string | undefined {
    const text = this.#codec ? this.#codec.decode(name) : name.toString('utf8');
    return text !== '' && !text.includes('/') && !text.includes('\0') && this.#encode(text).equals(name)
      ? text
      : undefined;
  }

  /** The error of an entry without a key. @param text its escaped name */
  unnamed(text: string, isFolder: boolean): XsyncError {
    const what = isFolder ? 'the name of this folder' : 'its name';
    const left = isFolder ? 'nothing below it can be copied' : 'it cannot be copied';
    const remedy = this.encoding
      ? 'Rename it, or use an encoding that all names have.'
      : 'Rename it, or give the encoding of its name: --local-encoding gbk, latin1, ….';
    return new XsyncError('key-not-representable', `${what} is not ${this.encoding ?? 'UTF-8'}, so ${left}`, {
      subject: text,
      remedy,
    });
  }

  #encode(text: string): Buffer {
    return this.#codec ? this.#codec.encode(text) : Buffer.from(text, 'utf8');
  }
}

/**
 * @param encoding as iconv-lite names them: `gbk`, `latin1`, `shift_jis`, …; absent or `utf-8` for the default
 * @throws usage: unknown, or not usable for file names
 */
export async function namesIn(encoding: string | undefined): Promise<Names> {
  if (encoding === undefined || UTF8.test(encoding)) return new Names();
  const { default: iconv } = await import('iconv-lite');
  const remedy = 'Use an encoding such as gbk, big5, shift_jis, latin1 or windows-1251.';
  const refuse = (what: string) =>
    new XsyncError('usage', `the encoding ${encoding} ${what}`, { subject: encoding, remedy });
  if (!iconv.encodingExists(encoding)) throw refuse('is not known');
  const codec: Codec = {
    encode: (text) => iconv.encode(text, encoding),
    decode: (bytes) => iconv.decode(bytes, encoding, { stripBOM: false }),
  };
  // A slash must be one byte, as in `.xsync/tmp`; base64 and UTF-16 are encodings of iconv-lite too.
  const ascii = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('');
  if (!codec.encode(ascii).equals(Buffer.from(ascii))) throw refuse('cannot be that of file names');
  return new Names(encoding, codec);
}
