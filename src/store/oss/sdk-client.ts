/**
 * The only user of ali-oss 6.23. Workarounds:
 * - Its defaults (no TLS, V1 signatures, region cn-hangzhou) are all overridden.
 * - Its retries are off. An idle timeout per call replaces its total deadline.
 * - The path is sent as ali-oss signed it: urllib would resolve the dot segments of a key.
 * - Header values are sent as UTF-8 bytes (`headerEncoding: latin1`). Otherwise ali-oss throws.
 * - The client has its own agents: those of ali-oss are shared by the whole process.
 * - The raw response is kept: ali-oss drops most of an error and all checksums, and treats a 200 with an `<Error>` and
 *   a truncated body as success.
 * - Each call gets new options objects, because ali-oss changes them.
 * Tests: test/store/oss/stores.test.ts
 */
import http from 'node:http';
import https from 'node:https';
import { type ErrorCode, XsyncError } from '../../model/error.js';
import type { Agents } from '../http/agents.js';
import { ClockSkew } from '../http/clock.js';
import { kindOf } from '../http/kind.js';
import { MAX_BODY } from '../http/message.js';
import { translateFault } from '../http/translate.js';
import { isWebPage, webPageError } from '../http/xml.js';
import type { CallOptions, RequestKind } from '../port.js';
import type { OssSettings } from './config.js';
import { isPathStyle } from './endpoint.js';
import { hintDomain, ossError, type Subject, subjectOf } from './errors.js';
import { type CredentialSource, renewable } from './renewal.js';
import type { AliOss, AliOssConstructor, Urllib, UrllibParams, UrllibResult } from './sdk-types.js';
import type { Credentials } from './sign.js';

/** A raw response; `body` is empty when it is read as a stream. */
export interface SdkAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface SdkOptions {
  connectTimeoutMs: number;
  /** A call that transfers no bytes for this long ends with `timeout`. */
  idleTimeoutMs: number;
  /** With proxies and certificates; default: plain ones. Closed by their creator. */
  agents?: Agents;
}

/** The longest possible timer, so that ali-oss's own deadline never fires first. */
const NEVER_MS = 2 ** 31 - 1000;

/** The state of one call of ali-oss. */
export class SdkCall {
  answer: SdkAnswer | undefined;
  /** The headers of the request. */
  sent: Readonly<Record<string, unknown>> = {};
  /** Called for each request. */
  onRequest: ((url: string, params: UrllibParams) => void) | undefined;
  /** The error of urllib, with the code that ali-oss drops. */
  fault: unknown;
  readonly #stalled = new AbortController();
  readonly signal: AbortSignal;
  /** Rejects when the call is aborted or stalls. */
  readonly over: Promise<never>;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly user: AbortSignal | undefined,
    private readonly idleTimeoutMs: number,
  ) {
    this.signal = user ? AbortSignal.any([user, this.#stalled.signal]) : this.#stalled.signal;
    this.over = new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    this.over.catch(() => undefined);
    this.touch();
  }

  get stalled(): boolean {
    return this.#stalled.signal.aborted;
  }

  /** Records progress: restarts the idle timeout. */
  touch(): void {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#stalled.abort(), this.idleTimeoutMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Calls ali-oss; must pass `ctx` in the options. */
export type SdkRun<T> = (oss: AliOss, ctx: number, call: SdkCall) => Promise<T>;

export class SdkClient {
  readonly #agents: Agents;
  readonly #clock = new ClockSkew();
  /** Running calls by their `ctx`, which is a number because ali-oss deep-copies unknown options. */
  readonly #calls = new Map<number, SdkCall>();
  #lastCtx = 0;
  /** One for each origin, replaced when the credentials are renewed. */
  readonly #clients = new Map<string, { credentials: Credentials; oss: Promise<AliOss> }>();

  constructor(
    readonly settings: OssSettings,
    readonly bucket: string,
    private readonly source: CredentialSource,
    private readonly options: SdkOptions,
  ) {
    this.#agents = options.agents ?? {
      httpAgent: new http.Agent({ keepAlive: true }),
      httpsAgent: new https.Agent({ keepAlive: true }),
    };
  }

  /**
   * Makes one call of ali-oss and returns its result. If the clock is wrong, it is corrected and the call repeated once.
   * @param origin one of the endpoints
   */
  async call<T>(
    origin: string,
    subject: Subject,
    { signal, onRequest }: CallOptions,
    run: SdkRun<T>,
  ): Promise<{ value: T; answer: SdkAnswer }> {
    if (signal?.aborted) throw new XsyncError('aborted', 'the call was aborted', { subject: this.bucket });
    for (let learned = false; ; learned = true) {
      const credentials = await this.source.get(this.#clock.now(origin));
      const oss = await this.#client(origin, credentials);
      const call = new SdkCall(signal, this.options.idleTimeoutMs);
      const object = subject.key !== undefined;
      call.onRequest = onRequest && ((url, params) => onRequest(formOf(url, params, object)));
      const ctx = ++this.#lastCtx;
      this.#calls.set(ctx, call);
      try {
        const value = await run(oss, ctx, call);
        if (!call.answer) throw new XsyncError('internal', 'ali-oss sent nothing');
        if (isWebPage(call.answer.body)) throw webPageError();
        return { value, answer: call.answer };
      } catch (error) {
        const fault = this.#translate(error, call, origin, subject);
        const skewed = fault.code === 'clock-skew' && !learned;
        if (!skewed || !this.#clock.learn(origin, call.answer?.headers.date)) {
          throw renewable(fault, this.source, credentials);
        }
        oss.options.amendTimeSkewed = this.#clock.now(origin) - Date.now();
      } finally {
        this.#calls.delete(ctx);
        call.end();
      }
    }
  }

  subject(key?: string): Subject {
    return subjectOf(this.settings, this.bucket, key);
  }

  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  #translate(error: unknown, call: SdkCall, origin: string, subject: Subject): XsyncError {
    const { host } = new URL(origin);
    const { answer } = call;
    const cause = call.fault ?? error;
    const fault = (code: ErrorCode, message: string) => new XsyncError(code, message, { subject: host, cause });
    if (call.user?.aborted) return fault('aborted', `the request to ${host} was aborted`);
    if (call.stalled)
      return fault('timeout', `${host} sent and received no bytes for ${this.options.idleTimeoutMs / 1000} s`);
    if (cause instanceof XsyncError) return cause;
    if (answer && answer.status >= 300) return ossError({ ...answer, sent: call.sent }, subject);
    if (hasCode(cause) && (answer || answered(cause)))
      return fault('truncated', `the response of ${host} was truncated`);
    if (answer && isWebPage(answer.body)) return webPageError();
    if (answer) return fault('invalid-response', `ali-oss could not parse the response of ${host}`);
    if (cause instanceof Error && cause.name === 'ConnectionTimeoutError') {
      return fault('unreachable', `no connection to ${host} within ${this.options.connectTimeoutMs / 1000} s`);
    }
    return hintDomain(translateFault(cause, { host, answering: false, ...this.options }), this.settings);
  }

  #client(origin: string, credentials: Credentials): Promise<AliOss> {
    const known = this.#clients.get(origin);
    if (known?.credentials === credentials) return known.oss;
    const oss = this.#open(origin, credentials);
    this.#clients.set(origin, { credentials, oss });
    return oss;
  }

  async #open(origin: string, credentials: Credentials): Promise<AliOss> {
    const { region, signatureVersion, domains } = this.settings;
    const { default: OSS } = (await import('ali-oss')) as unknown as { default: AliOssConstructor };
    const { protocol, hostname } = new URL(origin);
    const pathStyle = isPathStyle(hostname);
    const cname = domains.includes(origin);
    const oss = opened(OSS, {
      accessKeyId: credentials.accessKeyId,
      accessKeySecret: credentials.accessKeySecret,
      // The interval keeps ali-oss from writing to the console. Without a function it refreshes nothing.
      ...(credentials.securityToken ? { stsToken: credentials.securityToken, refreshSTSTokenInterval: NEVER_MS } : {}),
      bucket: this.bucket,
      endpoint: origin,
      region: `oss-${region}`,
      secure: protocol === 'https:',
      authorizationV4: signatureVersion === 'v4',
      headerEncoding: 'latin1',
      retryMax: 0,
      cname,
      sldEnable: pathStyle && !cname,
      amendTimeSkewed: this.#clock.now(origin) - Date.now(),
      agent: this.#agents.httpAgent,
      httpsAgent: this.#agents.httpsAgent,
    });
    oss.urllib = watched(oss.urllib, this.#calls, pathStyle, this.options.connectTimeoutMs);
    return oss;
  }
}

/** @throws config: ali-oss checks the names of buckets and regions itself */
function opened(OSS: AliOssConstructor, options: { bucket: string } & Record<string, unknown>): AliOss {
  try {
    return new OSS(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new XsyncError('config', `ali-oss refuses bucket ${options.bucket}: ${why}`, {
      subject: options.bucket,
      remedy: 'Check the bucket name and the region, or run without --transport sdk.',
      cause,
    });
  }
}

/** Wraps urllib: binds each request to the signal of its call, and keeps the response in the call. */
function watched(
  urllib: Urllib,
  calls: ReadonlyMap<number, SdkCall>,
  pathStyle: boolean,
  connectTimeoutMs: number,
): Urllib {
  const request = async (url: string, params: UrllibParams): Promise<UrllibResult> => {
    const call = calls.get(params.ctx);
    if (!call) throw new XsyncError('internal', 'ali-oss lost the context of a call');
    const beforeRequest = (options: http.RequestOptions) => {
      options.signal = call.signal;
      options.path = url.slice(new URL(url).origin.length);
      // ali-oss invents a virtual host for an IP address.
      if (pathStyle && options.headers) delete (options.headers as http.OutgoingHttpHeaders).host;
    };
    call.sent = params.headers;
    call.onRequest?.(url, params);
    const timeout: [number, number] = [connectTimeoutMs, NEVER_MS];
    try {
      const result = await urllib.request(url, { ...params, customResponse: true, timeout, beforeRequest });
      call.touch();
      return await keepAnswer(result, call, params);
    } catch (error) {
      call.fault = error;
      throw error;
    }
  };
  return { request };
}

function formOf(url: string, { method, headers }: UrllibParams, object: boolean): RequestKind {
  const { searchParams } = new URL(url);
  const copies = 'x-oss-copy-source' in headers;
  return kindOf({ method, object, has: (name) => searchParams.has(name), copies });
}

async function keepAnswer(result: UrllibResult, call: SdkCall, params: UrllibParams): Promise<UrllibResult> {
  const { status, headers } = result;
  const streams = params.customResponse && status < 300;
  const answer: SdkAnswer = { status, headers, body: Buffer.alloc(0) };
  call.answer = answer;
  if (!streams) result.data = answer.body = await collected(result.res, call);
  const announced = params.method === 'HEAD' || streams ? 0 : Number(headers['content-length'] ?? 0);
  if (answer.body.byteLength < announced) throw new XsyncError('truncated', 'the response was truncated');
  return result;
}

/** Reads a body that is not an object's. urllib would read it without a limit. */
async function collected(stream: AsyncIterable<Uint8Array>, call: SdkCall): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of stream) {
    call.touch();
    received += chunk.byteLength;
    if (received > MAX_BODY) throw new XsyncError('invalid-response', `the response exceeds ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** urllib sets `status` of an error to the status received so far, or to a negative number. */
function answered(error: unknown): boolean {
  return error instanceof Error && 'status' in error && Number(error.status) > 0;
}

function hasCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
