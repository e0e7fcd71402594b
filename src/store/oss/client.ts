/** Signed requests to one bucket over the lean transport. */
import type { HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';
import type { CallOptions, Pace } from '../port.js';
import type { OssSettings } from './config.js';
import type { Query } from './encode.js';
import { locate } from './endpoint.js';
import { ossError, type Subject } from './errors.js';
import { wireHeaders } from './metadata.js';

/** As much of the transport as is used here; closing it is its opener's business. */
export type Transport = Pick<HttpTransport, 'request' | 'clock'>;

export interface OssRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent: the bucket itself. */
  key?: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** A 2xx body goes into it. */
  target?: Uint8Array;
  pace?: Pace;
  /** True for calls that carry an object's bytes, which may go over the accelerated endpoint. */
  bytes?: boolean;
}

export class OssClient {
  constructor(
    readonly settings: OssSettings,
    readonly bucket: string,
    readonly transport: Transport,
    /** What messages call the bucket. */
    readonly place?: string,
  ) {}

  /**
   * One request and its answer of status 2xx. When OSS says that our clock is off (RequestTimeTooSkewed), the offset
   * is learned from its `Date`, and the request is signed anew and sent once more.
   * @throws what OSS or the transport says
   */
  async send(request: OssRequest, { signal }: CallOptions = {}): Promise<HttpResponse> {
    const { control, data } = this.settings.endpoints;
    const { key, query = {} } = request;
    const { origin, path } = locate(request.bytes ? data : control, this.bucket, key ?? '', query);
    const attempt = () => {
      const now = this.transport.clock.now(origin);
      const { method, headers = {}, body, target, pace } = request;
      const signed = this.settings.signer.sign({ method, bucket: this.bucket, key, query, headers }, now);
      return this.transport.request({ method, origin, path, headers: wireHeaders(signed), body, target, pace, signal });
    };
    const answer = await attempt();
    if (answer.status < 300) return answer;
    const error = ossError(answer, this.subject(key));
    const skewed = error.code === 'clock-skew' && this.transport.clock.learn(origin, answer.headers.date);
    if (!skewed) throw error;
    const again = await attempt();
    if (again.status < 300) return again;
    throw ossError(again, this.subject(key));
  }

  subject(key?: string): Subject {
    return { bucket: this.bucket, place: this.place, key, region: this.settings.region };
  }
}
