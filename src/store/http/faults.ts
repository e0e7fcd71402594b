/** What can go wrong with a request besides the errors of Node. Tests: test/store/http/transport.test.ts */

/** The bytes are no response of HTTP/1.1, or one that can be read in two ways. The message completes "it …". */
export class ResponseFault extends Error {
  override readonly name = 'ResponseFault';
}

/** The request cannot be written: a value would end its line, and the rest would be another header. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault';

  /** @param header whose value is the reason; absent: another part of the request */
  constructor(
    message: string,
    readonly header?: string,
  ) {
    super(message);
  }
}

/** The server closed the connection before its response was complete. */
export class Hangup extends Error {
  override readonly name = 'Hangup';
}

/** For a whole idle timeout no byte went either way. */
export class Silence extends Error {
  override readonly name = 'Silence';
}
