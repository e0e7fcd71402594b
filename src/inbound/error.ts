/** An HTTP error response: status, message and headers of a rejected call. Tests: test/bridge/pull/server.test.ts */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
