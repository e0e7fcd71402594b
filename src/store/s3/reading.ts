/**
 * HEADs and reads, whatever the responses lack and whichever headers the store does not know.
 * Tests: test/store/s3/imperfect.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import { HeadExplainer } from '../http/explain.js';
import type { BodySink } from '../http/message.js';
import type { CallOptions, HeadOptions, PieceSink, ReadOptions } from '../port.js';
import type { Answer, GetAnswer, GetRequest, Row, S3Calls } from './calls.js';
import { isUnsealed } from './customer-key.js';
import { type Describing, describes, firstPartSizeOf, infoOf, infoOfRead, sizeOf, unlessUnsupported } from './info.js';
import { isMissingCall, isRefusedForm, type Quirks } from './quirks.js';

type Pinned = HeadOptions & { ifMatch?: string; unsealed?: boolean };

/** A read into memory. */
type WholeRequest = Pick<GetRequest, 'versionId' | 'signal' | 'onRequest' | 'pace' | 'offset' | 'ifMatch' | 'unsealed'>;

/** Asks for an object's row in a listing. */
type AskRow = (key: string, options: CallOptions) => Promise<Row | undefined>;

export class Reading {
  readonly #calls: S3Calls;
  readonly #quirks: Quirks;
  readonly #row: AskRow;
  readonly #preset: Describing;
  readonly #explainer = new HeadExplainer();
  /** Whether gzip is requested at first. */
  #gzip: boolean;

  constructor(calls: S3Calls, quirks: Quirks, row: AskRow, preset: Describing) {
    this.#calls = calls;
    this.#quirks = quirks;
    this.#row = row;
    this.#preset = preset;
    this.#gzip = quirks.has('unpacks-gzip');
  }

  /** One request, if its response lacks nothing. */
  async head(key: string, options: Pinned = {}): Promise<ObjectInfo> {
    const { ifMatch } = options;
    const info = await this.#opening((unsealed) =>
      this.#pinned(key, options, async (pin) => this.#described(key, { ...options, ifMatch: pin, unsealed })),
    );
    mustBe(key, info.etag, ifMatch);
    return info;
  }

  async firstPartSize(key: string, options: Pinned): Promise<number | undefined> {
    const ask = (ifMatch: string | undefined) =>
      unlessUnsupported(this.#calls.head(key, { ...options, ifMatch, partNumber: 1 }));
    const answer = await this.#pinned(key, options, ask);
    // A store without If-Match may have another version by now.
    if (answer?.headers.etag !== undefined) mustBe(key, answer.headers.etag, options.ifMatch);
    return firstPartSizeOf(answer);
  }

  async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    // A range of an empty object fails (416), and a range cannot be empty.
    if (target.byteLength === 0) return this.head(key, options);
    const { offset = 0, versionId, ifMatch, signal, onRequest, pace } = options;
    const answer = await this.#opening((unsealed) =>
      this.#pinned(key, options, (pin) =>
        this.#get(key, target, { versionId, signal, onRequest, pace, offset, ifMatch: pin, unsealed }),
      ),
    );
    const size = sizeOf(answer, offset);
    mustBeAll(key, answer, target.byteLength, { offset, size });
    if (size === undefined) throw lacking(key, 'size');
    const info = describes(answer.headers)
      ? infoOfRead(key, { size, read: answer.received }, answer.headers, this.#preset)
      : await this.#afterRead(key, size, answer, { versionId, signal, onRequest });
    mustBe(key, info.etag, ifMatch);
    return info;
  }

  /** The head of a response describes the object, so that its body can be passed on at once. */
  get describesFirst(): boolean {
    return !this.#quirks.has('no-read-etag') && !this.#quirks.has('unpacks-gzip');
  }

  /** @throws unsupported: the head of the response lacks something */
  async readPieces(
    get: NonNullable<S3Calls['inPieces']>['get'],
    key: string,
    sink: PieceSink,
    options: ReadOptions,
  ): Promise<ObjectInfo> {
    const { versionId, ifMatch, signal, onRequest, pace } = options;
    const read = sink.byteLength - sink.taken;
    if (read === 0) return this.head(key, options);
    const offset = (options.offset ?? 0) + sink.taken;
    let info: ObjectInfo | undefined;
    const begin: BodySink['begin'] = (answer) => {
      const size = sizeOf(answer, offset);
      if (size === undefined || !describes(answer.headers)) throw undescribed(key);
      info = infoOfRead(key, { size, read }, answer.headers, this.#preset);
      mustBe(key, info.etag, ifMatch);
      sink.begin(info);
    };
    const target: BodySink = { byteLength: read, begin, take: (piece) => sink.take(piece), room: () => sink.room?.() };
    const request = { versionId, signal, onRequest, pace, offset, gzip: this.#gzip };
    const answer = await this.#opening((unsealed) =>
      this.#pinned(key, options, (pin) =>
        this.#ranged(offset, (ranged) => get(key, target, { ...request, ifMatch: pin, ranged, unsealed })),
      ),
    );
    mustBeAll(key, answer, read, { offset, size: info?.size });
    if (info === undefined) throw undescribed(key);
    return info;
  }

  /** Asks with the customer's key; without it if the object was written without one. */
  #opening<T>(ask: (unsealed: boolean) => Promise<T>): Promise<T> {
    if (!this.#preset.sealed) return ask(false);
    return ask(false).catch((error: unknown) => {
      if (!isUnsealed(error)) throw error;
      return ask(true);
    });
  }

  /**
   * Makes a request on condition of the ETag. If the store refuses that of an object which it still names so, conditions
   * are not usable there, and the responses are compared instead.
   */
  #pinned<T>(
    key: string,
    { ifMatch, versionId, signal, onRequest }: Pinned,
    ask: (ifMatch: string | undefined) => Promise<T>,
  ): Promise<T> {
    if (ifMatch === undefined || this.#quirks.has('no-if-match')) return ask(undefined);
    return ask(ifMatch).catch(async (error: unknown) => {
      if (!isXsyncError(error, 'precondition-failed') && !isRefusedForm(error)) throw error;
      mustBe(key, await this.#etagNow(key, error, { versionId, signal, onRequest }), ifMatch, error);
      const answer = await ask(undefined);
      this.#quirks.notice('no-if-match');
      return answer;
    });
  }

  /** @throws object-not-found, or what explains the refusal: a HEAD's has no body */
  async #etagNow(key: string, refusal: XsyncError, options: HeadOptions): Promise<string> {
    try {
      return (await this.#described(key, options)).etag;
    } catch (error) {
      const tells = isXsyncError(error, 'object-not-found', 'aborted') || refusal.serviceCode === undefined;
      throw tells ? error : refusal;
    }
  }

  /** A store that unpacks gzip sends 200 without a length. It may do so with one Accept-Encoding, and not with the other. */
  async #get(key: string, target: Uint8Array, request: WholeRequest): Promise<GetAnswer> {
    const { versionId, signal, onRequest, pace, offset, ifMatch, unsealed } = request;
    const ask = (gzip: boolean) =>
      this.#ranged(offset, (ranged) =>
        // V8 copies what is spread several times more slowly.
        this.#calls.get(key, target, { versionId, signal, onRequest, pace, offset, ifMatch, unsealed, gzip, ranged }),
      );
    const first = await ask(this.#gzip);
    const unpacked = first.status === 200 && first.headers['content-length'] === undefined;
    if (!unpacked || (!first.cut && first.received === target.byteLength)) return first;
    const second = await ask(!this.#gzip);
    if (!this.#gzip) this.#quirks.notice('unpacks-gzip');
    this.#gzip = !this.#gzip;
    return second;
  }

  async #ranged(offset: number, ask: (ranged: boolean) => Promise<GetAnswer>): Promise<GetAnswer> {
    const answer = await this.#quirks.without(
      'no-range',
      () => ask(true),
      () => ask(false),
    );
    const whole = offset === 0 && !answer.cut;
    if (answer.status === 200 && !whole && answer.headers['content-length'] !== undefined) {
      this.#quirks.notice('no-range');
    }
    return answer;
  }

  /** The object of a HEAD, of its first byte, and at last of its row in a listing: as far as necessary. */
  async #described(key: string, options: Pinned): Promise<ObjectInfo> {
    const answer = await this.#answered(key, options);
    const size = sizeOf(answer, 0);
    if (size !== undefined && describes(answer.headers)) return infoOf(key, size, answer.headers, this.#preset);
    return this.#completed(key, answer, options);
  }

  /** The response to a HEAD; that to a GET of the first byte where HEADs are refused, or refused without a reason. */
  async #answered(key: string, options: Pinned): Promise<Answer> {
    const byte = () => this.#firstByte(key, options);
    if (this.#quirks.has('no-head')) return byte();
    try {
      return await this.#explainer.ask(() => this.#headed(key, options), byte);
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      const answer = await byte();
      this.#quirks.notice('no-head');
      return answer;
    }
  }

  async #headed(key: string, options: Pinned): Promise<Answer> {
    const answer = await this.#calls.head(key, { ...options, gzip: this.#gzip });
    if (sizeOf(answer, 0) !== undefined && describes(answer.headers)) return answer;
    this.#quirks.notice('short-heads');
    const byte = await this.#firstByte(key, options);
    return { ...byte, headers: { ...answer.headers, ...byte.headers } };
  }

  async #firstByte(key: string, options: Pinned): Promise<Answer> {
    const byte = new Uint8Array(1);
    try {
      return await this.#get(key, byte, { ...options, offset: 0 });
    } catch (error) {
      // An empty object has no first byte.
      if (!isXsyncError(error, 'truncated') || error.status !== 416) throw error;
      return this.#calls.get(key, byte, { ...options, offset: 0, ranged: false });
    }
  }

  async #completed(key: string, { headers, ...answer }: Answer, { signal, onRequest }: Pinned): Promise<ObjectInfo> {
    const row = await this.#row(key, { signal, onRequest });
    const size = sizeOf({ ...answer, headers }, 0) ?? row?.size;
    const etag = headers.etag ?? row?.etag;
    const mtimeMs = Number.isNaN(Date.parse(headers['last-modified'] ?? '')) ? row?.mtimeMs : undefined;
    const lastModified = mtimeMs === undefined ? headers['last-modified'] : new Date(mtimeMs).toUTCString();
    if (size === undefined) throw lacking(key, 'size');
    if (!etag) throw lacking(key, 'ETag');
    if (lastModified === undefined) throw lacking(key, 'time');
    return infoOf(key, size, { ...headers, etag, 'last-modified': lastModified }, this.#preset);
  }

  /** The version that a HEAD names after the read is the one that was read, if it is the one that was planned. */
  async #afterRead(
    key: string,
    size: number,
    { headers, received: read }: GetAnswer,
    options: Pinned,
  ): Promise<ObjectInfo> {
    this.#quirks.notice('no-read-etag');
    const now = await this.#described(key, options);
    if (now.size !== size) throw changed(key);
    const etag = headers.etag || now.etag;
    mustBe(key, now.etag, etag);
    const time = new Date(now.mtimeMs).toUTCString();
    const told = { ...headers, etag, 'last-modified': headers['last-modified'] ?? time };
    return infoOfRead(key, { size, read }, told, this.#preset);
  }
}

/** @throws the refusal, or precondition-failed: the object has another ETag */
function mustBe(key: string, etag: string, ifMatch: string | undefined, refusal?: unknown): void {
  if (ifMatch === undefined || sameEtag(etag, ifMatch)) return;
  throw isXsyncError(refusal, 'precondition-failed') ? refusal : changed(key);
}

/** @throws truncated */
function mustBeAll(
  key: string,
  { received, status }: GetAnswer,
  wanted: number,
  { offset, size }: { offset: number; size: number | undefined },
): void {
  if (received >= wanted) return;
  const message = `${key}: received ${received} of ${wanted} bytes at offset ${offset} (size ${size})`;
  throw new XsyncError('truncated', message, { subject: key, status });
}

function undescribed(key: string): XsyncError {
  const message = `${key}: the head of the response does not describe the object`;
  return new XsyncError('unsupported', message, { subject: key });
}

function changed(key: string): XsyncError {
  return new XsyncError('precondition-failed', `${key}: the object has changed`, { subject: key });
}

function lacking(key: string, what: string): XsyncError {
  const message = `${key}: no response of the store tells its ${what}`;
  return new XsyncError('invalid-response', message, { subject: key, class: 'permanent' });
}
