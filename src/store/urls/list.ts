/** Reads a list of URLs: tab-separated values, or JSON, one object a line. Tests: test/store/urls/list.test.ts */
import { createReadStream } from 'node:fs';
import * as z from 'zod';
import type { Checksums } from '../../model/checksum.js';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { linesOf } from '../../model/lines.js';
import type { Spool } from '../../model/spool.js';
import { spooledLine, type UrlLine } from './lines.js';

/** Longer than a URL that servers accept, a key and the rest. */
const MOST_BYTES = 64 * 1024;
/** Lines that are in memory at once. */
const AT_ONCE = 1000;

const WHAT = 'Write the URL, a tab and the key, and if known a tab and the size and a tab and the checksum.';

const jsonLine = z.strictObject({
  url: z.string(),
  key: z.string(),
  size: z.number().int().min(0).optional(),
  checksum: z.string().optional(),
  etag: z.string().min(1).optional(),
  mtime: z.union([z.iso.datetime({ offset: true }), z.number()]).optional(),
});

/**
 * Sorts the lines of a list into `spool`, as `spooledLine` writes them.
 * @param file `-`: standard input
 * @throws not-readable; usage: with the first line that is wrong, never with the URL; what the spool throws
 */
export async function readUrlList(file: string, spool: Pick<Spool, 'addNew'>): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  await sortUrls(readable(input, file), file === '-' ? 'standard input' : file, spool);
}

/** @param name of the list, for messages. @throws as `readUrlList` */
export async function sortUrls(
  input: AsyncIterable<unknown>,
  name: string,
  spool: Pick<Spool, 'addNew'>,
): Promise<void> {
  const sorting = new Sorting(name, spool);
  let number = 0;
  try {
    for await (const line of linesOf(input, MOST_BYTES)) sorting.add(line, ++number);
  } finally {
    // A key that is there twice before another line that is wrong is told instead of that one.
    sorting.flush();
  }
}

class Sorting {
  readonly #name: string;
  readonly #spool: Pick<Spool, 'addNew'>;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #batch: { line: UrlLine; number: number }[] = [];

  constructor(name: string, spool: Pick<Spool, 'addNew'>) {
    this.#name = name;
    this.#spool = spool;
  }

  /** @param bytes undefined: too many */
  add(bytes: Buffer | undefined, number: number): void {
    const wrong = this.#wrong(number);
    if (!bytes) throw wrong(`it is longer than ${MOST_BYTES / 1024} KiB`);
    const text = this.#textOf(bytes, number).replace(/\r$/, '');
    if (text === '' || text.startsWith('#')) return;
    this.#batch.push({ line: text.startsWith('{') ? readJson(text, wrong) : readTabs(text, wrong), number });
    if (this.#batch.length === AT_ONCE) this.flush();
  }

  flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    const at = this.#spool.addNew(batch.map(({ line }) => spooledLine(line)));
    const twice = at === undefined ? undefined : batch[at];
    if (!twice) return;
    const what = `the key ${JSON.stringify(twice.line.key)} is there twice`;
    throw this.#wrong(twice.number)(what, 'Leave one of them out.');
  }

  #textOf(bytes: Buffer, number: number): string {
    try {
      const text = this.#decoder.decode(bytes);
      return number === 1 ? text.replace(/^\ufeff/, '') : text;
    } catch {
      throw this.#wrong(number)('it is not UTF-8', 'Convert the list. Otherwise its keys would change.');
    }
  }

  #wrong(number: number): Wrong {
    return (what, remedy = WHAT) =>
      new XsyncError('usage', `${this.#name}, line ${number}: ${what}`, { subject: this.#name, remedy });
  }
}

type Wrong = (what: string, remedy?: string) => XsyncError;

function readJson(text: string, wrong: Wrong): UrlLine {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw wrong('it is not valid JSON', 'Write one JSON object a line.');
  }
  const { success, data, error } = jsonLine.safeParse(given);
  if (!success) {
    const [issue] = error.issues;
    throw wrong(`${issue?.path.join('.') || 'the object'}: ${issue?.message}`, 'Correct the line.');
  }
  const { url, key, size, checksum, etag, mtime } = data;
  const mtimeMs = typeof mtime === 'string' ? Date.parse(mtime) : mtime;
  return {
    ...{ key: keyOf(key, wrong), url: urlOf(url, wrong), checksums: checksumOf(checksum ?? '', wrong) },
    ...(size !== undefined && { size }),
    ...(etag !== undefined && { etag }),
    ...(mtimeMs !== undefined && { mtimeMs }),
  };
}

function readTabs(line: string, wrong: Wrong): UrlLine {
  const [url = '', key, size = '', checksum = '', ...more] = line.split('\t');
  if (key === undefined) throw wrong('it has no tab');
  if (more.length > 0) throw wrong('it has more than four columns');
  if (size !== '' && !/^\d{1,15}$/.test(size)) throw wrong(`the size ${JSON.stringify(size)} is not a number of bytes`);
  const sized = size === '' ? {} : { size: Number(size) };
  return { key: keyOf(key, wrong), url: urlOf(url, wrong), ...sized, checksums: checksumOf(checksum, wrong) };
}

function keyOf(key: string, wrong: Wrong): string {
  if (key === '') throw wrong('the key is empty');
  if (!key.isWellFormed()) throw wrong('the key has half of a character', 'Correct the line.');
  return key;
}

function urlOf(text: string, wrong: Wrong): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw wrong('its first column is not an http or https URL');
  if (url.username !== '' || url.password !== '') {
    throw wrong('the URL has a user name or a password', 'Use a presigned URL, or one that needs no password.');
  }
  return text;
}

/** Bytes of each digest. */
const DIGESTS = { md5: 16, sha1: 20, sha256: 32, crc32: 4, crc32c: 4, crc64nvme: 8 } as const;

const CHECKSUM_REMEDY =
  'Write md5:, sha1:, sha256:, crc32:, crc32c:, crc64nvme: (hex or base64) or crc64ecma: (decimal) and the value.';

/** `md5:…`; without a name, it is an MD5. */
function checksumOf(text: string, wrong: Wrong): Checksums {
  if (text === '') return {};
  const [, name = 'md5', value = ''] = /^(?:([a-z0-9]+):)?(.+)$/is.exec(text) ?? [];
  const kind = name.toLowerCase();
  if (kind === 'crc64ecma' && /^\d{1,20}$/.test(value)) return { crc64ecma: value };
  const digest = isDigest(kind) ? bytesOf(value, DIGESTS[kind]) : undefined;
  if (digest === undefined || !isDigest(kind)) throw wrong('its checksum cannot be read', CHECKSUM_REMEDY);
  return { [kind]: digest.toString(kind === 'md5' ? 'hex' : 'base64') };
}

function isDigest(name: string): name is keyof typeof DIGESTS {
  return Object.hasOwn(DIGESTS, name);
}

function bytesOf(text: string, length: number): Buffer | undefined {
  if (text.length === 2 * length && /^[0-9a-f]+$/i.test(text)) return Buffer.from(text, 'hex');
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? bytes : undefined;
}

async function* readable(input: AsyncIterable<unknown>, file: string): AsyncGenerator<unknown> {
  try {
    yield* input;
  } catch (cause) {
    throw new XsyncError('not-readable', `cannot read the list of URLs ${file}: ${reasonOf(cause)}`, {
      subject: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
}
