import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bucket } from './bucket.js';
import type { Bytes } from './bytes.js';
import type { Fault } from './faults.js';
import { classify, type RequestKind } from './kinds.js';
import type { LogEntry } from './log.js';
import type { Protocol } from './model.js';
import { decodeComponent, Query } from './query.js';

/** A response before faults are applied. Without a body, Content-Length is taken from the headers, or is 0. */
export interface Reply {
  status: number;
  headers?: Record<string, string | undefined>;
  body?: Bytes | string;
}

/** One request and its processing. */
export class Exchange {
  readonly protocol: Protocol;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  /** Percent-encoded, as received. */
  readonly rawPath: string;
  readonly query: Query;
  readonly requestId: string;
  readonly bucketName: string;
  readonly key: string;
  readonly kind: RequestKind;
  readonly entry: LogEntry;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  faults: readonly Fault[] = [];
  readonly #clock: () => number;

  constructor(
    protocol: Protocol,
    req: IncomingMessage,
    res: ServerResponse,
    context: { clock: () => number; requestId: string; expectsContinue: boolean; locate: Locate },
  ) {
    this.protocol = protocol;
    this.req = req;
    this.res = res;
    this.#clock = context.clock;
    this.requestId = context.requestId;
    this.expectsContinue = context.expectsContinue;
    this.method = req.method ?? 'GET';
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    this.rawPath = mark < 0 ? url : url.slice(0, mark);
    this.query = new Query(mark < 0 ? '' : url.slice(mark + 1));
    const host = (req.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    const { bucket, key } = context.locate(host, decodeComponent(this.rawPath));
    this.bucketName = bucket;
    this.key = key;
    const copies = this.vendor('copy-source') !== undefined;
    this.kind = classify({ method: this.method, bucket, key, query: this.query, copies });
    this.entry = this.#logEntry();
  }

  #logEntry(): LogEntry {
    const partNumber = this.query.get('partNumber');
    const uploadId = this.query.get('uploadId');
    return {
      protocol: this.protocol,
      kind: this.kind,
      bucket: this.bucketName,
      key: this.key,
      ...(partNumber === undefined ? {} : { partNumber: Number(partNumber) }),
      ...(uploadId === undefined ? {} : { uploadId }),
      status: 0,
      bytesIn: 0,
      bytesOut: 0,
      atMs: Date.now(),
      acknowledged: false,
      faulted: false,
    };
  }

  /** The server's clock for this request. */
  now(): number {
    const skew = this.fault('clock-skew');
    return this.#clock() + (skew?.ms ?? 0);
  }

  /** A request header; repeated headers are joined. */
  header(name: string): string | undefined {
    const value = this.req.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  }

  /** `x-amz-<name>` or `x-oss-<name>`. */
  vendor(name: string): string | undefined {
    return this.header(`${this.vendorPrefix}${name}`);
  }

  get vendorPrefix(): string {
    return this.protocol === 's3' ? 'x-amz-' : 'x-oss-';
  }

  /** The first fault of this kind for this request. */
  fault<K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined {
    return this.faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
  }
}

/** @param host in lower case, without a port */
export type Locate = (host: string, path: string) => { bucket: string; key: string };

/** Bucket and key in path style: `/bucket/key`. */
export function locateInPath(path: string): { bucket: string; key: string } {
  const slash = path.indexOf('/', 1);
  return slash < 0 ? { bucket: path.slice(1), key: '' } : { bucket: path.slice(1, slash), key: path.slice(slash + 1) };
}

/** The arguments of handlers: the exchange, its existing bucket, and the decoded body. */
export interface Call {
  exchange: Exchange;
  bucket: Bucket;
  body: Buffer;
}
