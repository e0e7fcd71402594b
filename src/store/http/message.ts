/** What goes over the lean transport: a request and its answer. */
import type { Pace } from '../port.js';

export interface HttpRequest {
  method: string;
  /** `https://host[:port]`, without a path. */
  origin: string;
  /** Path and query exactly as they go on the wire, already encoded; never normalised, so `/a/../b//c` stays so. */
  path: string;
  /**
   * Sent as given. `content-length` is the transport's own and must not be given; `host` is the origin's unless given;
   * `user-agent` is the transport's unless given. Values are latin1: UTF-8 must be passed as its bytes.
   */
  headers: Record<string, string>;
  /** Not changed, and not touched again once the call has settled. */
  body?: Uint8Array | string;
  /** The body of a 2xx answer goes straight into it; a longer body is `invalid-response`. */
  target?: Uint8Array;
  /** Paces and reports the bytes of `body` as they are sent, and those of a 2xx answer into `target` as they come. */
  pace?: Pace;
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names; repeated headers joined by `, `; values are latin1, one character a byte on the wire. */
  headers: Record<string, string>;
  /** The answer's body, when there was no target or the status is not 2xx (then it is an error's text). */
  body: Buffer;
  /** Bytes of the answer's body. May be fewer than the target's length: that is the caller's to judge. */
  received: number;
}
