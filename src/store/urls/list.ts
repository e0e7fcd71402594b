/** Reads a list of URLs: tab-separated values, or JSON, one object a line. Tests: test/store/urls/list.test.ts */
import { createReadStream } from 'node:fs';
import * as z from 'zod';
import type { Checksums } from '../../model/checksum.js';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';

/** One object of a list. */
export interface UrlLine {
  key: string;
  /** A secret: whoever has it can read the object. */
  url: string;
  /** Bytes. */
  size?: number;
  /** Without quotes. */
  etag?: string;
  checksums: Checksums;
  /** Last-Modified, ms since 1970. */
  mtimeMs?: number;
  /** Whoever made the URL has just looked at the object: a HEAD costs no request. */
  fresh?: true;
}

/** The list is held in memory. */
const MOST_BYTES = 512 * 1024 * 1024;

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
 * The objects of a list, by key.
 * @param file `-`: standard input
 * @throws not-readable; usage: with the line, never with the URL
 */
export async function readUrlList(file: string): Promise<Map<string, UrlLine>> {
  return parseUrlList(await textOf(file), file === '-' ? 'standard input' : file);
}

/** @throws usage */
export function parseUrlList(text: string, name: string): Map<string, UrlLine> {
  const lines = new Map<string, UrlLine>();
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line = raw.replace(/\r$/, '');
    if (line === '' || line.startsWith('#')) continue;
    const wrong = (what: string, remedy = WHAT): XsyncError =>
      new XsyncError('usage', `${name}, line ${number}: ${what}`, { subject: name, remedy });
    const read = line.startsWith('{') ? readJson(line, wrong) : readTabs(line, wrong);
    if (lines.has(read.key))
      throw wrong(`the key ${JSON.stringify(read.key)} is there twice`, 'Leave one of them out.');
    lines.set(read.key, read);
  }
  return lines;
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

async function textOf(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    const input: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
    for await (const chunk of input) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) throw tooLarge(file);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof XsyncError) throw cause;
    throw new XsyncError('not-readable', `cannot read the list of URLs ${file}: ${reasonOf(cause)}`, {
      subject: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
  try {
    // Without a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new XsyncError('usage', `the list of URLs ${file} is not UTF-8`, {
      subject: file,
      remedy: 'Convert it. Otherwise its keys would change.',
      cause,
    });
  }
}

function tooLarge(file: string): XsyncError {
  return new XsyncError('usage', `the list of URLs ${file} is larger than ${MOST_BYTES / 2 ** 20} MiB`, {
    subject: file,
    remedy: 'Split it, and copy one part after the other.',
  });
}
