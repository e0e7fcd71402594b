/** Sends signed requests to one bucket over the lean transport. Tests: test/store/oss/routes.test.ts */
import { kindOf } from '../http/kind.js';
import type { HttpRequest, HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';
import { isWebPage, webPageError } from '../http/xml.js';
import type { CallOptions, Pace, RequestKind, SignedUrl, SignedUrlOptions } from '../port.js';
import type { OssSettings } from './config.js';
import type { Query } from './encode.js';
import { locate } from './endpoint.js';
import { hintDomain, ossError, type Subject, subjectOf } from './errors.js';
import { wireHeaders } from './metadata.js';
import { type CredentialSource, renewable } from './renewal.js';
import type { Credentials, Signer } from './sign.js';

/** The part of the transport that is used here. Its creator closes it. */
export type Transport = Pick<HttpTransport, 'request' | 'clock'>;

export interface OssRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent: the bucket itself. */
  key?: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: HttpRequest['body'];
  /** Receives the body of a 2xx response. */
  target?: HttpRequest['target'];
  pace?: Pace;
  /** True for calls that carry object data, which may use the accelerated endpoint. */
  bytes?: boolean;
  /** OSS may work for minutes: it sends its status at once, and white space until it is done. */
  keptOpen?: boolean;
  /** True for calls that the bucket's own domain does not answer. */
  service?: boolean;
}

/** A request that was answered. */
interface Attempt {
  answer: HttpResponse;
  credentials: Credentials;
  /** As sent. */
  headers: Record<string, string>;
}

export class OssClient {
  #signer: { credentials: Credentials; signer: Signer } | undefined;

  constructor(
    readonly settings: OssSettings,
    /** Empty: the service itself. */
    readonly bucket: string,
    readonly transport: Transport,
    readonly source: CredentialSource,
    /** The bucket's name in messages. */
    readonly place?: string,
  ) {}

  /**
   * Sends one request and returns its 2xx response. If OSS reports a wrong clock (RequestTimeTooSkewed), the offset is
   * taken from its `Date` header, and the request is signed and sent once more.
   * @throws XsyncError: from OSS (see errors.ts), the transport or the source of the credentials
   */
  async send(request: OssRequest, { signal, onRequest }: CallOptions = {}): Promise<HttpResponse> {
    const { origin, path } = this.#locate(request);
    const attempt = async () => {
      const now = this.transport.clock.now(origin);
      const found = this.source.get(now);
      const credentials = found instanceof Promise ? await found : found;
      const headers = this.#sign(request, credentials, now);
      const { method, body, target, pace, keptOpen } = request;
      onRequest?.(formOf(request));
      const sent = this.transport.request({ method, origin, path, headers, body, target, pace, signal, keptOpen });
      const answer = await sent.catch((error) => Promise.reject(hintDomain(error, this.settings)));
      return { answer, credentials, headers };
    };
    const first = await attempt();
    if (first.answer.status < 300) return noWebPage(first.answer);
    const error = this.#refusal(request, first);
    const skewed = error.code === 'clock-skew' && this.transport.clock.learn(origin, first.answer.headers.date);
    if (!skewed) throw error;
    const again = await attempt();
    if (again.answer.status < 300) return noWebPage(again.answer);
    throw this.#refusal(request, again);
  }

  /** A URL that allows its holder to read the object for `expiresS` seconds. */
  async presign(key: string, { expiresS, versionId }: SignedUrlOptions): Promise<SignedUrl> {
    const at = { method: 'GET', key, bytes: true } as const;
    const now = this.transport.clock.now(this.#locate(at).origin);
    const credentials = await this.source.get(now);
    const signer = this.settings.signerOf(credentials);
    const asked: Record<string, string> = versionId === undefined ? {} : { versionId };
    const query = signer.presign({ method: 'GET', bucket: this.bucket, key, query: asked, headers: {} }, now, expiresS);
    const { origin, path } = this.#locate({ ...at, query });
    const expiresMs = Math.min(now + expiresS * 1000, credentials.expiresMs ?? Number.POSITIVE_INFINITY);
    return { url: `${origin}${path}`, expiresMs };
  }

  subject(key?: string): Subject {
    return subjectOf(this.settings, this.bucket, key, this.place);
  }

  #locate({ key = '', query = {}, bytes, service }: OssRequest): { origin: string; path: string } {
    const { endpoints, domains, service: home } = this.settings;
    const origin = service ? home : bytes ? endpoints.data : endpoints.control;
    return locate(origin, domains.includes(origin) ? undefined : this.bucket || undefined, key, query);
  }

  #sign({ method, key, query = {}, headers = {} }: OssRequest, credentials: Credentials, now: number) {
    // A signer keeps the key of the day.
    if (this.#signer?.credentials !== credentials) {
      this.#signer = { credentials, signer: this.settings.signerOf(credentials) };
    }
    return wireHeaders(
      this.#signer.signer.sign({ method, bucket: this.bucket || undefined, key, query, headers }, now),
    );
  }

  #refusal({ key }: OssRequest, { answer, credentials, headers: sent }: Attempt) {
    return renewable(ossError({ ...answer, sent }, this.subject(key)), this.source, credentials);
  }
}

/** A proxy or a login page may answer any request with 200. @throws invalid-response */
function noWebPage(answer: HttpResponse): HttpResponse {
  if (isWebPage(answer.body)) throw webPageError();
  return answer;
}

function formOf({ method, key, query = {}, headers = {} }: OssRequest): RequestKind {
  const has = (name: string): boolean => name in query;
  return kindOf({ method, object: key !== undefined, has, copies: 'x-oss-copy-source' in headers });
}
