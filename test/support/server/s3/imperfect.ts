/**
 * Imperfect stores: the strict server with one of the flaws of real S3-compatible services. docs/providers.md says where
 * each was met. A flaw applies once the request is authenticated.
 */
import { Bytes } from '../bytes.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import type { RequestKind } from '../kinds.js';
import type { Service } from '../serve.js';

export interface Flaw {
  /** Kinds that are answered 405 or 501 instead. */
  lacks?: readonly RequestKind[];
  /** The status with which they are refused; 501 when absent. */
  status?: number;
  /** Requests that are refused for their form, with 400. */
  refuses?: (exchange: Exchange) => boolean;
  /** Requests that are answered with 200 and nothing, and not carried out. */
  ignores?: (exchange: Exchange) => boolean;
  /** Request headers that it does not know. */
  ignoresHeaders?: readonly string[];
  /** Query parameters that it does not know. */
  ignoresQuery?: readonly string[];
  /** Changes a successful response. */
  answers?: (reply: Reply, exchange: Exchange) => Reply;
}

export function imperfect(service: Service, flaw: Flaw): Service {
  const meet = (exchange: Exchange): void => {
    if (flaw.lacks?.includes(exchange.kind)) {
      throw new ServiceError('NotImplemented', { status: flaw.status ?? 501 });
    }
    if (flaw.refuses?.(exchange)) throw new ServiceError('InvalidArgument', { message: 'Not supported here.' });
    if (flaw.ignores?.(exchange)) throw new Ignored();
    for (const name of flaw.ignoresHeaders ?? []) delete exchange.req.headers[name];
    for (const name of flaw.ignoresQuery ?? []) exchange.query.forget(name);
  };
  return {
    ...service,
    async handle(exchange, beforeEffect) {
      const reply = await service
        .handle(exchange, async () => {
          meet(exchange);
          await beforeEffect();
        })
        .catch((error: unknown) => {
          if (error instanceof Ignored) return { status: 200, headers: { 'content-length': '0' } };
          throw error;
        });
      return flaw.answers ? flaw.answers(reply, exchange) : reply;
    },
  };
}

class Ignored extends Error {}

/** Without these response headers. */
function withoutHeaders(reply: Reply, ...names: string[]): Reply {
  const headers = { ...reply.headers };
  for (const name of names) headers[name] = undefined;
  return { ...reply, headers };
}

/** With the XML changed. */
function rewritten(reply: Reply, from: RegExp, to: string): Reply {
  return typeof reply.body === 'string' ? { ...reply, body: reply.body.replace(from, to) } : reply;
}

/** A PUT that ignores x-amz-copy-source stores an empty object. */
function asEmptyPut(reply: Reply, exchange: Exchange): Reply {
  if (exchange.kind !== 'CopyObject') return reply;
  return { status: 200, headers: { etag: '"d41d8cd98f00b204e9800998ecf8427e"' } };
}

/** A listing writes ETags without quotes, and a response to a read marks them as weak. */
function relabelled(reply: Reply, exchange: Exchange): Reply {
  if (exchange.kind === 'ListObjects') return rewritten(reply, /&quot;/g, '');
  const { etag } = reply.headers ?? {};
  if (etag === undefined || (exchange.kind !== 'GetObject' && exchange.kind !== 'HeadObject')) return reply;
  return { ...reply, headers: { ...reply.headers, etag: `W/${etag}` } };
}

/** A listing writes ETags in capitals. */
function capitals(reply: Reply, exchange: Exchange): Reply {
  if (exchange.kind !== 'ListObjects' || typeof reply.body !== 'string') return reply;
  const body = reply.body.replace(/<ETag>&quot;([^&]*)/g, (_, etag: string) => `<ETag>&quot;${etag.toUpperCase()}`);
  return { ...reply, body };
}

/** Objects with Content-Encoding: gzip come unpacked and without a length, unless gzip is asked for. */
function unpacked(reply: Reply, exchange: Exchange): Reply {
  const gzip = reply.headers?.['content-encoding'] === 'gzip';
  if (!gzip || /gzip/.test(exchange.header('accept-encoding') ?? '')) return reply;
  const rest = withoutHeaders(reply, 'content-encoding', 'content-range', 'content-length');
  const headers = { ...rest.headers, 'transfer-encoding': 'chunked' };
  const body = exchange.kind === 'GetObject' ? Bytes.of(Buffer.from('unpacked '.repeat(50))) : undefined;
  return { ...rest, status: 200, headers, ...(body ? { body } : {}) };
}

const ROW_FIELDS = /<(ETag|Size|LastModified)>[^<]*<\/\1>/g;

export const FLAWS = {
  'has neither DeleteObjects nor CopyObject': {
    lacks: ['DeleteObjects', 'CopyObject', 'UploadPartCopy'],
  },
  'refuses batches and copies with 405 and stores an empty object for a copy': {
    lacks: ['DeleteObjects', 'UploadPartCopy'],
    status: 405,
    answers: asEmptyPut,
  },
  'knows only version 1 of ListObjects': { ignoresQuery: ['list-type', 'start-after', 'continuation-token'] },
  'refuses version 2 of ListObjects': {
    refuses: ({ kind, query }) => kind === 'ListObjects' && query.get('list-type') === '2',
  },
  'does not encode keys': { ignoresQuery: ['encoding-type'] },
  'lists rows without size, time and ETag': {
    answers: (reply, { kind }) => (kind === 'ListObjects' ? rewritten(reply, ROW_FIELDS, '') : reply),
  },
  'answers HEAD without length, time and ETag': {
    answers: (reply, { kind }) =>
      kind === 'HeadObject' ? withoutHeaders(reply, 'content-length', 'last-modified', 'etag') : reply,
  },
  'refuses HEAD': { lacks: ['HeadObject'], status: 405 },
  'answers writes and reads without ETag': {
    answers: (reply, { kind }) =>
      ['PutObject', 'UploadPart', 'GetObject', 'CopyObject', 'CompleteMultipartUpload'].includes(kind)
        ? rewritten(withoutHeaders(reply, 'etag'), /<ETag>[^<]*<\/ETag>/g, '')
        : reply,
  },
  'ignores conditions': { ignoresHeaders: ['if-match', 'x-amz-copy-source-if-match'] },
  'does not implement conditions': {
    refuses: (exchange) => exchange.header('if-match') !== undefined,
    ignoresHeaders: ['x-amz-copy-source-if-match'],
  },
  'ignores ranges': { ignoresHeaders: ['range'] },
  'refuses ranges': { refuses: (exchange) => exchange.header('range') !== undefined },
  'lists neither parts nor uploads': { lacks: ['ListParts', 'ListMultipartUploads'] },
  'has no multipart uploads': { lacks: ['CreateMultipartUpload'] },
  'answers a completed upload with nothing': {
    answers: (reply, { kind }) =>
      kind === 'CompleteMultipartUpload' ? { status: 200, headers: { 'content-length': '0' } } : reply,
  },
  'quotes ETags in writes alone': { answers: relabelled },
  'lists ETags in capitals': { answers: capitals },
  'unpacks gzip': { answers: unpacked },
} as const satisfies Record<string, Flaw>;

export type FlawName = keyof typeof FLAWS;
