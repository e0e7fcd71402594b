/** Requests and responses of the lean transport. Tests: test/store/http/transport.test.ts */
import type { Pace, PieceSource } from '../port.js';

/** Limit in bytes of a response without a target: a listing page or an error. A page of 1000 keys is under 8 MiB. */
export const MAX_BODY = 32 * 1024 * 1024;

export interface HttpRequest {
  method: string;
  /** `https://host[:port]`, without a path. */
  origin: string;
  /** Path and query exactly as sent, already encoded; never normalized, so `/a/../b//c` stays unchanged. */
  path: string;
  /**
   * Sent as given. The transport sets `content-length`, which must not be given. `host` defaults to the origin's and
   * `user-agent` to the transport's. Values are latin1: UTF-8 must be passed as its bytes.
   */
  headers: Record<string, string>;
  /** Not changed, and not read after the call has settled. */
  body?: Uint8Array | string | PieceSource;
  /** Receives the body of a 2xx response; a longer body is `invalid-response`. */
  target?: Uint8Array | BodySink;
  /**
   * The body of a 200 begins this many bytes before the target: a server may ignore Range. They are dropped, and what
   * follows the target is not read.
   */
  offset?: number;
  /** Paces and reports the bytes of `body` as they are sent, and those of a 2xx response as they reach `target`. */
  pace?: Pace;
  signal?: AbortSignal;
  /** The query is a secret as a whole, whatever its parameters are called. */
  secretQuery?: true;
  /** The service may work for minutes, and sends a byte now and then to keep the connection open. */
  keptOpen?: boolean;
}

/** Takes the body of a response while it arrives; see `PieceSink` of the port. */
export interface BodySink {
  readonly byteLength: number;
  /** The head of a 2xx response. An exception ends the request with that error. */
  begin(answer: Pick<HttpResponse, 'status' | 'headers'>): void;
  take(piece: Uint8Array): Promise<void> | undefined;
  room?(): Uint8Array | undefined;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names; repeated headers joined by `, `; values are latin1, one character a byte on the wire. */
  headers: Record<string, string>;
  /** The response body if there was no target, or the error text if the status is not 2xx. */
  body: Buffer;
  /** Bytes of the response body, or in the target. May be fewer than the target's length, which the caller must check. */
  received: number;
  /** More followed the target, and was not read. */
  cut?: boolean;
}
