/**
 * Objects that are read by URLs: presigned ones, or public ones. Only bytes and what comes with them: a URL that was
 * signed for a GET allows nothing else, not even a HEAD.
 *
 * An object is named by its key and its ETag, never by its URL, which is another one each time that it is signed.
 */
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import type { HttpResponse } from '../http/message.js';
import type * as port from '../port.js';
import { infoOf, validatorOf } from './answers.js';
import type { UrlLine, UrlLines } from './lines.js';
import { describeAll } from './listing.js';
import type { UrlRequests } from './requests.js';
import { sizeOf } from './size.js';
import { SourceOnly } from './source-only.js';

/** Objects of a page: those of which the list says little take one request each. */
const PAGE = 250;

const CAPABILITIES: port.Capabilities = {
  orderedListing: 'yes',
  minPartSize: 1,
  maxPartSize: 0,
  maxParts: 0,
  maxObjectSize: 0,
  maxPutSize: 0,
  maxCopySize: 0,
  answersCrc64ecma: false,
  checksContentMd5: false,
  partEtagIsMd5: false,
  keepsMetadata: true,
  attributes: {},
  keepsMtime: false,
  countsRequests: true,
  local: false,
};

type Asking = port.CallOptions & { ifMatch?: string };

export class UrlStore extends SourceOnly implements port.ObjectStore {
  readonly identity: port.StoreIdentity;
  readonly #lines: UrlLines;
  readonly #requests: UrlRequests;

  /** @param lines disposed when the store is closed */
  constructor(identity: port.StoreIdentity, lines: UrlLines, requests: UrlRequests) {
    super();
    this.identity = identity;
    this.#lines = lines;
    this.#requests = requests;
  }

  get capabilities(): port.Capabilities {
    return CAPABILITIES;
  }

  /** What a response says of the object besides, to a store that can do something with it. */
  protected further(_headers: HttpResponse['headers']): Partial<ObjectInfo> {
    return {};
  }

  checkKey(): void {
    // Every key of the list is one.
  }

  async checkBucket(): Promise<void> {
    // The list has been read.
  }

  /** Asks for the first byte of each object of which the list does not tell size and version. */
  async list({
    prefix = '',
    startAfter,
    token,
    maxKeys = PAGE,
    signal,
    onRequest,
  }: port.ListOptions): Promise<port.ListPage> {
    const limit = Math.min(maxKeys, PAGE);
    const found = this.#page(prefix, token ?? startAfter, limit + 1);
    const lines = found.slice(0, limit);
    const entries = await describeAll(lines, signal, (line) => this.#entry(line, { signal, onRequest }));
    return { entries, prefixes: [], ...(found.length > limit && { nextToken: lines.at(-1)?.key }) };
  }

  /** A GET of the first byte. */
  async head(key: string, options: Asking = {}): Promise<ObjectInfo> {
    const { etag, size, mtimeMs, checksums, fresh } = this.#line(key);
    if (!fresh || etag === undefined || size === undefined || mtimeMs === undefined) return this.#ask(key, options);
    mustBe(key, etag, options.ifMatch);
    return { key, etag, size, mtimeMs, checksums, headers: {}, metadata: {} };
  }

  async read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    if (target.byteLength === 0) return this.#ask(key, options);
    const { offset = 0, ifMatch, signal, pace, onRequest } = options;
    const whole = offset === 0 && this.#lines.seen(key)?.size === target.byteLength;
    const headers: Record<string, string> = whole ? {} : { range: `bytes=${offset}-${offset + target.byteLength - 1}` };
    const answer = await this.#get(key, { headers, target, offset, signal, pace }, onRequest);
    const info = this.#learn(key, answer, offset);
    mustBe(key, info.etag, ifMatch);
    if (answer.received >= target.byteLength) return info;
    const message = `${key}: received ${answer.received} of ${target.byteLength} bytes at offset ${offset} (size ${info.size})`;
    throw new XsyncError('truncated', message, { subject: key, status: answer.status });
  }

  /** The transport is closed by whoever opened it. */
  async close(): Promise<void> {
    this.#lines.dispose();
  }

  #page(prefix: string, after: string | undefined, limit: number): UrlLine[] {
    const begun = after !== undefined && compareKeys(after, prefix) >= 0;
    const first = begun ? undefined : this.#lines.get(prefix);
    const lines = [...(first ? [first] : []), ...this.#lines.page(begun ? after : prefix, limit)];
    return lines.filter(({ key }) => key.startsWith(prefix)).slice(0, limit);
  }

  async #entry(line: UrlLine, options: port.CallOptions): Promise<ObjectEntry> {
    const { key } = line;
    const etag = line.etag ?? etagOfChecksum(line);
    if (line.size === undefined || etag === undefined) {
      const { size, etag: found, mtimeMs, checksums } = this.#lines.seen(key) ?? (await this.#ask(key, options));
      return { key, size, etag: found, mtimeMs, checksums };
    }
    const { size, mtimeMs = 0, checksums } = line;
    return { key, size, etag, mtimeMs, checksums };
  }

  async #ask(key: string, { signal, onRequest, ifMatch }: Asking): Promise<ObjectInfo> {
    const byte = new Uint8Array(1);
    const ask = (headers: Record<string, string>) =>
      this.#get(key, { headers, target: byte, offset: 0, signal }, onRequest);
    const empty = (this.#line(key).size ?? this.#lines.seen(key)?.size) === 0;
    const answer = await ask(empty ? {} : { range: 'bytes=0-0' }).catch((error: unknown) => {
      // An empty object has no first byte.
      if (error instanceof XsyncError && error.status === 416) return ask({});
      throw error;
    });
    const info = this.#learn(key, answer, 0);
    mustBe(key, info.etag, ifMatch);
    return info;
  }

  #get(
    key: string,
    request: Parameters<UrlRequests['get']>[2],
    onRequest: port.CallOptions['onRequest'],
  ): Promise<HttpResponse> {
    const line = this.#line(key);
    const pin =
      this.#lines.seen(key)?.validator?.pin ?? (line.etag === undefined ? {} : { 'if-match': `"${line.etag}"` });
    const headers = { ...request.headers, ...pin, 'accept-encoding': 'identity' };
    return this.#requests.get(key, line.url, { ...request, headers }, () => onRequest?.('read'));
  }

  /** @throws precondition-failed: not the version of an earlier response, or not what the list says */
  #learn(key: string, { status, headers, received, cut }: HttpResponse, offset: number): ObjectInfo {
    const line = this.#line(key);
    const before = this.#lines.seen(key);
    const size = sizeOf(key, { status, headers, received, cut }, { offset, known: line.size ?? before?.size });
    if (line.size !== undefined && line.size !== size) throw differs(key, line.size, size);
    const validator = validatorOf(headers, size);
    const pinned = before?.validator;
    if (pinned && validator && !sameEtag(pinned.etag, validator.etag)) throw changed(key);
    const made = etagOfChecksum(line);
    const partial = status === 206 && received < size;
    if (!validator && !made && partial && offset + received > 1) throw unpinned(key);
    const modifiedMs = Date.parse(headers['last-modified'] ?? '');
    const mtimeMs = line.mtimeMs ?? (Number.isNaN(modifiedMs) ? (before?.mtimeMs ?? Date.now()) : modifiedMs);
    const etag = (line.etag === undefined ? made : undefined) ?? validator?.etag ?? `size-${size}`;
    const info = infoOf(key, headers, { size, etag, mtimeMs, whole: status === 200 });
    Object.assign(info, this.further(headers));
    info.checksums = { ...info.checksums, ...line.checksums };
    this.#lines.see(key, { size, etag, mtimeMs, checksums: info.checksums, validator: validator ?? pinned });
    return info;
  }

  /** @throws object-not-found */
  #line(key: string): UrlLine {
    const line = this.#lines.get(key);
    if (line) return line;
    throw new XsyncError('object-not-found', `the list has no key ${JSON.stringify(key)}`, { subject: key });
  }
}

/** With size and checksum, an object is known without a request, whatever ETag its server gives it. */
function etagOfChecksum({ etag, size, checksums }: UrlLine): string | undefined {
  const [sum] = Object.entries(checksums);
  return etag !== undefined || size === undefined || sum === undefined ? undefined : `${sum[0]}-${sum[1]}`;
}

/** @throws precondition-failed */
function mustBe(key: string, etag: string, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && !sameEtag(etag, ifMatch)) throw changed(key);
}

function changed(key: string): XsyncError {
  return new XsyncError('precondition-failed', `${key}: the object has changed`, { subject: key });
}

function differs(key: string, listed: number, size: number): XsyncError {
  const message = `${key}: the list says ${listed} bytes, the server ${size}`;
  return new XsyncError('checksum-mismatch', message, {
    subject: key,
    class: 'permanent',
    remedy: 'Correct the size in the list, or leave it out.',
  });
}

function unpinned(key: string): XsyncError {
  const message = `${key}: the server sends neither ETag nor Last-Modified, so parts of two versions could mix`;
  return new XsyncError('unsupported', message, {
    subject: key,
    remedy: 'Put the size and a checksum of the object into the list.',
  });
}
