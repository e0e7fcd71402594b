/** Sends signed requests to one bucket and translates error responses. Tests: test/store/s3/store.test.ts */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { kindOf } from '../http/kind.js';
import type { HttpRequest, HttpResponse } from '../http/message.js';
import { redirected, type Target } from '../http/redirect.js';
import type { HttpTransport } from '../http/transport.js';
import { isWebPage, webPageError, xmlRoot } from '../http/xml.js';
import type { RequestKind, SignedUrl, SignedUrlOptions, TransferOptions } from '../port.js';
import { type Addresses, addressesOf } from './address.js';
import type { S3Config } from './config.js';
import type { CredentialSource } from './credentials.js';
import { encodeKey, encodeQuery } from './encode.js';
import { refusalOf } from './errors.js';
import { presetOf } from './presets.js';
import { type Credentials, Signer } from './sign.js';

export interface S3Request extends TransferOptions {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent for calls that concern the bucket. */
  key?: string;
  parameters?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  body?: HttpRequest['body'];
  /** Sent without a signature. */
  unsigned?: Record<string, string>;
  target?: HttpRequest['target'];
  /** Where the target begins in a response that ignores Range. */
  offset?: number;
  /** Carries object data: sent to the data endpoint. */
  data?: boolean;
  /** The service may fail after it has sent status 200. The body is then an `<Error>`. */
  lateError?: boolean;
}

interface Signed {
  exchange: HttpRequest;
  headers: Record<string, string>;
  credentials: Credentials;
}

export class Wire {
  readonly bucket: string;
  readonly #place: string;
  readonly addresses: Addresses;
  readonly #transport: HttpTransport;
  readonly #credentials: CredentialSource;
  readonly #signer: Signer;
  readonly #requesterPays: boolean;
  readonly #nul: boolean;

  /** @param place the bucket's name in messages */
  constructor(
    config: S3Config,
    bucket: string,
    credentials: CredentialSource,
    transport: HttpTransport,
    place = `bucket ${bucket}`,
  ) {
    this.bucket = bucket;
    this.#place = place;
    this.addresses = addressesOf(config, bucket);
    this.#transport = transport;
    this.#credentials = credentials;
    this.#signer = new Signer(this.addresses.region, this.addresses.service);
    this.#requesterPays = config.requester_pays;
    this.#nul = presetOf(config).nul;
  }

  /**
   * Sends one signed request and returns its 2xx response. If the clock is wrong, it is corrected, and the request is
   * signed and sent once more. A redirect to another host of the service is followed once. There are no other retries.
   */
  async send(request: S3Request): Promise<HttpResponse> {
    const { origin, base } = request.data ? this.addresses.data : this.addresses.control;
    const path = this.#path(request);
    for (let corrected = false; ; corrected = true) {
      const signed = this.#signed(request, { origin, path });
      let sent = signed instanceof Promise ? await signed : signed;
      let answer = await this.#exchange(request, sent);
      const target = redirected(this.addresses.endpoint, answer, [path, path.slice(base.length)]);
      if (target) {
        sent = await this.#signed(request, target);
        answer = await this.#exchange(request, sent);
      }
      if (isSuccess(answer, request)) return answer;
      const error = this.#refusal(request, origin, answer, sent);
      if (!(error instanceof ClockCorrected)) throw error;
      // Another node with a different clock: a temporary error that the retry wrapper handles.
      if (corrected) throw error.cause;
    }
  }

  /** A URL that allows its holder to make the request for `expiresS` seconds. */
  async presign(method: 'GET' | 'PUT', key: string, { expiresS, versionId }: SignedUrlOptions): Promise<SignedUrl> {
    const { origin, host } = this.addresses.data;
    const path = this.#path({ method, key, data: true });
    const now = this.#transport.clock.now(origin);
    const credentials = await this.#credentials.get(now);
    const request = { method, path, headers: { host }, parameters: { ...(versionId !== undefined && { versionId }) } };
    const url = `${origin}${path}?${this.#signer.presign(request, credentials, now, expiresS)}`;
    return { url, expiresMs: Math.min(now + expiresS * 1000, credentials.expiresMs ?? Number.POSITIVE_INFINITY) };
  }

  #path({ key, data }: S3Request): string {
    const { base } = data ? this.addresses.data : this.addresses.control;
    return key === undefined ? base || '/' : `${base}/${encodeKey(key, this.#nul)}`;
  }

  /** The request as it is sent, its headers that are signed, and the credentials. Waits only for new credentials. */
  #signed(request: S3Request, target: Target): Signed | Promise<Signed> {
    const now = this.#transport.clock.now(target.origin);
    const credentials = this.#credentials.get(now);
    if (!(credentials instanceof Promise)) return this.#sign(request, target, credentials, now);
    return credentials.then((fetched) => this.#sign(request, target, fetched, now));
  }

  #sign(request: S3Request, { origin, path }: Target, credentials: Credentials, now: number): Signed {
    const { method, body, target, offset, pace, signal, lateError: keptOpen } = request;
    const query = request.parameters ? encodeQuery(request.parameters) : '';
    const headers: Record<string, string> = { host: this.#hostOf(origin), ...request.headers };
    if (this.#requesterPays) headers['x-amz-request-payer'] = 'requester';
    this.#signer.sign({ method, path, query, headers }, credentials, now);
    const onWire = query === '' ? path : `${path}?${query}`;
    const sent = request.unsigned ? { ...headers, ...request.unsigned } : headers;
    const exchange = { method, origin, path: onWire, headers: sent, body, target, offset, pace, signal, keptOpen };
    return { exchange, headers, credentials };
  }

  #exchange(request: S3Request, { exchange }: Signed): Promise<HttpResponse> {
    request.onRequest?.(formOf(request));
    return this.#transport.request(exchange);
  }

  /** A redirect may lead to another host. */
  #hostOf(origin: string): string {
    const { data, control } = this.addresses;
    if (data.origin === origin) return data.host;
    return control.origin === origin ? control.host : new URL(origin).host;
  }

  #refusal(
    request: S3Request,
    origin: string,
    { status, headers, body }: HttpResponse,
    { headers: sent, credentials: used }: Signed,
  ): Error {
    const { bucket } = this;
    const upload = request.parameters?.uploadId !== undefined && request.headers?.['x-amz-copy-source'] === undefined;
    const { region } = this.addresses;
    const error = refusalOf({
      status,
      headers,
      body,
      bucket,
      place: this.#place,
      key: request.key,
      upload,
      region,
      sent,
    });
    // The error response to a HEAD has no body that could name the skew, but its Date header shows it.
    const maybeSkewed = isXsyncError(error, 'clock-skew') || (status === 403 && body.length === 0);
    if (maybeSkewed && this.#transport.clock.learn(origin, headers.date, error.code === 'clock-skew')) {
      return new ClockCorrected(error);
    }
    if (error.code === 'expired-credentials' && this.#credentials.expire(used)) {
      const { message, subject, serviceCode, requestId, remedy } = error;
      return new XsyncError(error.code, message, {
        subject,
        status,
        serviceCode,
        requestId,
        remedy,
        class: 'temporary',
      });
    }
    return error;
  }
}

/** @throws invalid-response: a web page */
function isSuccess({ status, body }: HttpResponse, { lateError }: S3Request): boolean {
  if (status < 200 || status >= 300) return false;
  if (isWebPage(body)) throw webPageError();
  return !lateError || xmlRoot(body) !== 'Error';
}

function formOf({ method, key, parameters = {}, headers = {} }: S3Request): RequestKind {
  const has = (parameter: string): boolean => parameters[parameter] !== undefined;
  return kindOf({ method, object: key !== undefined, has, copies: headers['x-amz-copy-source'] !== undefined });
}

/** Used only in this file: tells `send` to sign and send the request again. */
class ClockCorrected extends Error {
  constructor(override readonly cause: XsyncError) {
    super(cause.message);
  }
}
