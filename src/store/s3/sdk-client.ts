/**
 * The only user of @aws-sdk/client-s3. Workarounds:
 * - Its retries are off. An idle timeout per call replaces its timeouts, which ignore a body's progress.
 * - Its default checksums (CRC32, which compatible stores refuse) and `Expect: 100-continue` are off.
 * - A request can be edited before it is signed: the SDK invents a Content-Type and accepts `Expires` only as a date.
 * - Header values are signed and sent as UTF-8 bytes. Node would refuse them or send them as latin1.
 * - The raw response is kept, because the SDK drops most of an error.
 * Tests: test/store/s3-sdk/store.test.ts
 */
import http from 'node:http';
import https from 'node:https';
import type {
  $Command,
  S3Client,
  S3ClientConfig,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import { type ErrorCode, XsyncError } from '../../model/error.js';
import type { Agents } from '../http/agents.js';
import { kindOf } from '../http/kind.js';
import { translateFault } from '../http/translate.js';
import { isWebPage, webPageError, xmlRoot } from '../http/xml.js';
import type { CallOptions, RequestKind } from '../port.js';
import { type Addresses, addressesOf } from './address.js';
import type { S3Config } from './config.js';
import type { CredentialSource } from './credentials.js';
import { mustBeAnswerTo } from './deleting.js';
import { refusalOf } from './errors.js';
import { isAws } from './presets.js';
import { type SdkAnswer, SdkCall } from './sdk-call.js';
import { loadSdk, type Sdk } from './sdk-load.js';

type Logger = NonNullable<S3ClientConfig['logger']>;
type Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** A request that the SDK has built and not yet signed. */
export interface Editable {
  readonly method: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** Lower-case names. */
  headers: Record<string, string>;
  body?: unknown;
}

export interface SdkRequest<I extends ServiceInputTypes, O extends ServiceOutputTypes, T> {
  /** Absent for calls that concern the bucket. */
  key?: string;
  signal?: AbortSignal;
  /** As in CallOptions. */
  onRequest?: CallOptions['onRequest'];
  /** The call names an upload and no other object that could be missing. */
  upload?: boolean;
  /** Carries object data: sent to the data endpoint. */
  data?: boolean;
  /** The root element of the response, if a store that lacks the call might take it for another one. */
  root?: string;
  /** An empty response is one of the call. */
  mayBeEmpty?: true;
  /** The caller reads the response's body: the SDK, which refuses a whole page for one damaged row, sees none. */
  raw?: boolean;
  /** Called for each attempt. */
  command: (sdk: Sdk, call: SdkCall) => Command<I, O>;
  edit?: (request: Editable) => void;
  /** Reads the body of a 2xx response as a stream. If absent, the body is buffered for the SDK to parse. */
  receive?: (output: O, call: SdkCall) => Promise<T>;
}

export interface SdkResult<O, T> {
  output: O;
  answer: SdkAnswer;
  /** The result of `receive`. */
  received: T | undefined;
}

export interface SdkOptions {
  connectTimeoutMs: number;
  /** A call that transfers no bytes for this long ends with `timeout`. */
  idleTimeoutMs: number;
  /** With proxies and certificates; default: plain ones. */
  agents?: Agents;
}

export class SdkClient {
  readonly addresses: Addresses;
  readonly #config: S3Config;
  readonly #bucket: string;
  readonly #credentials: CredentialSource;
  readonly #options: SdkOptions;
  /** The SDK's default agents allow only 50 connections. */
  readonly #agents: Agents;
  readonly #clients = new Map<boolean, Promise<{ sdk: Sdk; client: S3Client }>>();

  /** @throws config */
  constructor(config: S3Config, bucket: string, credentials: CredentialSource, options: SdkOptions) {
    this.addresses = addressesOf(config, bucket);
    this.#agents = options.agents ?? {
      httpAgent: new http.Agent({ keepAlive: true }),
      httpsAgent: new https.Agent({ keepAlive: true }),
    };
    this.#config = config;
    this.#bucket = bucket;
    this.#credentials = credentials;
    this.#options = options;
  }

  /** Sends one request per command. Only after the SDK has corrected the clock is the command sent a second time. */
  async send<I extends ServiceInputTypes, O extends ServiceOutputTypes, T = undefined>(
    request: SdkRequest<I, O, T>,
  ): Promise<SdkResult<O, T>> {
    if (request.signal?.aborted) throw new XsyncError('aborted', 'the call was aborted', { subject: this.#bucket });
    try {
      return await this.#once(request);
    } catch (error) {
      if (!(error instanceof ClockCorrected)) throw error;
      return await this.#once(request).catch((again: unknown) => {
        throw again instanceof ClockCorrected ? again.cause : again;
      });
    }
  }

  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  async #once<I extends ServiceInputTypes, O extends ServiceOutputTypes, T>(
    request: SdkRequest<I, O, T>,
  ): Promise<SdkResult<O, T>> {
    const { sdk, client } = await this.#client(request.data === true);
    const call = new SdkCall(request.signal, this.#options.idleTimeoutMs);
    try {
      const command = request.command(sdk, call);
      command.middlewareStack.add(
        (next) => (args) => {
          if (isEditable(args.request)) this.#edit(args.request, request.edit);
          return next(args);
        },
        { step: 'build', priority: 'low' },
      );
      command.middlewareStack.add(
        (next) => async (args) => {
          if (isEditable(args.request)) {
            asBytes(args.request.headers);
            call.sent = args.request.headers;
            request.onRequest?.(formOf(args.request, request.key !== undefined));
          }
          const result = await next(args);
          await keepAnswer(result.response as SdkResponse, call, request);
          // The SDK takes an empty response for a failure of the service.
          const { answer } = call;
          const isEmpty = request.mayBeEmpty && answer?.body.length === 0;
          if (request.root !== undefined && answer?.status === 200 && !isEmpty)
            mustBeAnswerTo(answer.body, request.root);
          return result;
        },
        { step: 'deserialize', priority: 'low' },
      );
      const output = await client.send(command, { abortSignal: call.signal });
      const received = await request.receive?.(output, call);
      if (!call.answer) throw new XsyncError('internal', 'the SDK sent nothing');
      if (isWebPage(call.answer.body)) throw webPageError();
      return { output, answer: call.answer, received };
    } catch (error) {
      throw this.#translate(error, call, request);
    } finally {
      call.end();
    }
  }

  #edit(request: Editable, edit: ((request: Editable) => void) | undefined): void {
    if (this.#config.requester_pays) request.headers['x-amz-request-payer'] = 'requester';
    edit?.(request);
  }

  #translate(error: unknown, call: SdkCall, request: { key?: string; upload?: boolean; data?: boolean }): Error {
    const { host } = request.data ? this.addresses.data : this.addresses.control;
    const { answer } = call;
    const cause = call.fault ?? error;
    const fault = (code: ErrorCode, message: string) => new XsyncError(code, message, { subject: host, cause });
    if (call.aborted) return fault('aborted', `the request to ${host} was aborted`);
    if (call.stalled)
      return fault('timeout', `${host} sent and received no bytes for ${this.#options.idleTimeoutMs / 1000} s`);
    if (cause instanceof XsyncError) return cause;
    if (answer && (answer.status >= 300 || xmlRoot(answer.body) === 'Error')) {
      return this.#refusal(answer, call.sent, cause, request);
    }
    if (answer && hasCode(cause)) return fault('truncated', `the response of ${host} was truncated`);
    if (answer && isWebPage(answer.body)) return webPageError();
    if (answer) return fault('invalid-response', `the SDK could not parse the response of ${host}`);
    if (cause instanceof Error && cause.name === 'TimeoutError' && !hasCode(cause)) {
      return fault('unreachable', `no connection to ${host} within ${this.#options.connectTimeoutMs / 1000} s`);
    }
    if (hasCode(cause)) return translateFault(cause, { host, answering: false, ...this.#options });
    return fault('internal', `the SDK refused the call: ${cause instanceof Error ? cause.message : String(cause)}`);
  }

  /** Without the SDK's error, which repeats the text of the service unchecked. */
  #refusal(
    answer: SdkAnswer,
    sent: Readonly<Record<string, string>>,
    cause: unknown,
    { key, upload }: { key?: string; upload?: boolean },
  ): Error {
    const { region } = this.addresses;
    const error = refusalOf({ ...answer, bucket: this.#bucket, key, upload, region, sent });
    // The error response to a HEAD has no body that could name the skew.
    const maybeSkewed = error.code === 'clock-skew' || (answer.status === 403 && answer.body.length === 0);
    if (maybeSkewed && clockCorrected(cause)) return new ClockCorrected(error);
    if (error.code !== 'expired-credentials' || !this.#credentials.expire()) return error;
    // A client caches its credentials. The next call creates a new client.
    this.#clients.clear();
    const { message, subject, status, serviceCode, requestId, remedy } = error;
    const details = { subject, status, serviceCode, requestId, remedy };
    return new XsyncError(error.code, message, { ...details, class: 'temporary' });
  }

  #client(data: boolean): Promise<{ sdk: Sdk; client: S3Client }> {
    const fast = data && this.#config.accelerate === 'on';
    let client = this.#clients.get(fast);
    if (!client) {
      client = this.#open(fast);
      this.#clients.set(fast, client);
    }
    return client;
  }

  async #open(fast: boolean): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await loadSdk();
    const { endpoint, region, pathStyle } = this.addresses;
    const { use_dualstack_endpoint: dualstack = false, use_fips_endpoint: fips = false } = this.#config;
    // The SDK makes AWS's own endpoints itself, those of access points included.
    const own = isAws(this.#config) && this.#config.endpoint === undefined;
    const where: S3ClientConfig = fast
      ? { useAccelerateEndpoint: true, forcePathStyle: false }
      : { forcePathStyle: pathStyle, ...(!own && { endpoint }) };
    const client = new sdk.S3Client({
      ...where,
      region,
      credentials: async () => {
        const { expiresMs, ...keys } = await this.#credentials.get(Date.now());
        return expiresMs === undefined ? keys : { ...keys, expiration: new Date(expiresMs) };
      },
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      // Without a logger the SDK writes warnings to the console.
      logger: SILENT,
      useArnRegion: true,
      useDualstackEndpoint: dualstack,
      useFipsEndpoint: fips,
      requestHandler: { ...this.#agents, connectionTimeout: this.#options.connectTimeoutMs, socketTimeout: 0 },
    });
    return { sdk, client };
  }
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Used only in this file: tells `send` to sign and send the request again. */
class ClockCorrected extends Error {
  constructor(override readonly cause: XsyncError) {
    super(cause.message);
  }
}

interface SdkResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array> | Uint8Array;
}

/** Keeps the raw response and gives the SDK the body to parse. */
async function keepAnswer(
  response: SdkResponse,
  call: SdkCall,
  { receive, raw }: { receive?: unknown; raw?: boolean },
): Promise<void> {
  const { statusCode: status, headers } = response;
  const answer: SdkAnswer = { status, headers: { ...headers }, body: Buffer.alloc(0) };
  call.answer = answer;
  call.touch();
  if (receive !== undefined && status < 300) return;
  answer.body = await call.collect(response.body as AsyncIterable<Uint8Array>);
  if (status < 300 && isWebPage(answer.body)) throw webPageError();
  // A separate view: the SDK changes the type of what it parses.
  if (raw && status < 300) response.body = new Uint8Array();
  else response.body = new Uint8Array(answer.body.buffer, answer.body.byteOffset, answer.body.byteLength);
}

/** Header values as Node sends them: one character for each UTF-8 byte. */
function asBytes(headers: Record<string, string>): void {
  for (const name in headers) headers[name] = Buffer.from(headers[name] ?? '', 'utf8').toString('latin1');
}

function formOf({ method, query, headers }: Editable, object: boolean): RequestKind {
  return kindOf({ method, object, has: (name) => name in query, copies: 'x-amz-copy-source' in headers });
}

function isEditable(request: unknown): request is Editable {
  return typeof request === 'object' && request !== null && 'headers' in request;
}

function hasCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function clockCorrected(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'clockSkewCorrected' in metadata;
}
