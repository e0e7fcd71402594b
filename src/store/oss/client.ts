/** Sends signed requests to one bucket over the lean transport. */
import type { HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';
import type { CallOptions, Pace } from '../port.js';
import type { OssSettings } from './config.js';
import type { Query } from './encode.js';
import { locate } from './endpoint.js';
import { ossError, type Subject } from './errors.js';
import { wireHeaders } from './metadata.js';

/** The part of the transport that is used here. Its creator closes it. */
export type Transport = Pick<HttpTransport, 'request' | 'clock'>;

export interface OssRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent: the bucket itself. */
  key?: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** Receives the body of a 2xx response. */
  target?: Uint8Array;
  pace?: Pace;
  /** True for calls that carry object data, which may use the accelerated endpoint. */
  bytes?: boolean;
  /** OSS may work for minutes: it sends its status at once, and white space until it is done. */
  keptOpen?: boolean;
}

export class OssClient {
  constructor(
    readonly settings: OssSettings,
    readonly bucket: string,
    readonly transport: Transport,
    /** The bucket's name in messages. */
    readonly place?: string,
  ) {}

  /**
   * Sends one request and returns its 2xx response. If OSS reports a wrong clock (RequestTimeTooSkewed), the offset is
   * taken from its `Date` header, and the request is signed and sent once more.
   * @throws XsyncError: from OSS (see errors.ts) or the transport
   */
  async send(request: OssRequest, { signal }: CallOptions = {}): Promise<HttpResponse> {
    const { control, data } = this.settings.endpoints;
    const { key, query = {} } = request;
    const { origin, path } = locate(request.bytes ? data : control, this.bucket, key ?? '', query);
    let sent: Record<string, string> = {};
    const attempt = () => {
      const now = this.transport.clock.now(origin);
      const { method, headers = {}, body, target, pace, keptOpen } = request;
      const signed = this.settings.signer.sign({ method, bucket: this.bucket, key, query, headers }, now);
      sent = wireHeaders(signed);
      return this.transport.request({ method, origin, path, headers: sent, body, target, pace, signal, keptOpen });
    };
    const answer = await attempt();
    if (answer.status < 300) return answer;
    const error = ossError({ ...answer, sent }, this.subject(key));
    const skewed = error.code === 'clock-skew' && this.transport.clock.learn(origin, answer.headers.date);
    if (!skewed) throw error;
    const again = await attempt();
    if (again.status < 300) return again;
    throw ossError({ ...again, sent }, this.subject(key));
  }

  subject(key?: string): Subject {
    return { bucket: this.bucket, place: this.place, key, region: this.settings.region };
  }
}
