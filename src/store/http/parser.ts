/**
 * Reads responses of HTTP/1.1 as their bytes arrive, however they are cut. Strict: whatever two readers could understand
 * differently is refused. Everything that is kept until it is complete has a bound.
 */
import { ResponseFault } from './faults.js';
import { isTrailer, type ResponseHead, readHead, TOKEN } from './response-head.js';

/** A longer head is refused; OSS returns up to 8 KB of metadata in it. The same bound holds for trailers. */
export const MAX_HEAD_BYTES = 32 * 1024;
const MAX_STATUS_LINE = 1024;
/** With its extensions, which nobody uses. */
const MAX_CHUNK_LINE = 1024;
const MAX_INTERIM = 1000;

const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const BEGINNING = 'HTTP/1.';

/** Takes the parts of one response, in their order. */
export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** A piece of the body. The parser's caller reuses its memory. */
  onData(bytes: Buffer): void;
}

/** The size, and extensions, which say nothing to us. */
const CHUNK_LINE = new RegExp(`^([\\da-fA-F]{1,13})(?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t !#-\\[\\]-~]*"))?)*$`);

type State = 'head' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

export class ResponseParser {
  #sink: ResponseSink | undefined;
  #method = '';
  #state: State = 'done';
  /** Bytes that are still missing: of the body, or of the current chunk. */
  #missing = 0;
  #interim = 0;
  #trailerBytes = 0;
  /** The beginning of a head or line whose end has not arrived. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** The head or line that was complete last; undefined: its end has not arrived. */
  #text: string | undefined;
  #head: ResponseHead | undefined;

  /** Prepares for the response to the next request. */
  begin(method: string, sink: ResponseSink): void {
    this.#method = method;
    this.#sink = sink;
    this.#state = 'head';
    this.#head = undefined;
    this.#interim = 0;
    this.#heldBytes = 0;
  }

  /** That of the final response, once it has arrived. */
  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** The response is complete. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** How many of the next bytes belong to a body whose length is known. */
  get missing(): number {
    return this.#state === 'length' ? this.#missing : 0;
  }

  /**
   * Passes on what the bytes bring.
   * @returns how many of them belong to this response
   * @throws ResponseFault
   */
  read(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') at = this.#step(bytes, at);
    return at;
  }

  /** The server has closed the connection. Returns whether the response is complete. */
  close(): boolean {
    if (this.#state === 'close') this.#state = 'done';
    return this.#state === 'done';
  }

  /** Returns the place behind the bytes that it used, always one at least. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#headAt(bytes, at);
      case 'length':
      case 'chunk':
        return this.#bodyAt(bytes, at);
      case 'close':
        this.#sink?.onData(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      default:
        return this.#lineAt(bytes, at);
    }
  }

  #headAt(bytes: Buffer, at: number): number {
    const next = this.#collect(bytes, at, HEAD_END, MAX_HEAD_BYTES);
    if (this.#text === undefined) {
      this.#mustBeginWell();
      return next;
    }
    const head = readHead(this.#text, this.#method);
    if (head.status < 200) {
      // Nobody asked to change the protocol.
      if (head.status === 101) throw new ResponseFault('switches to another protocol');
      if (++this.#interim > MAX_INTERIM) throw new ResponseFault('announces itself without end');
      return next;
    }
    const { framing } = head;
    this.#missing = typeof framing === 'number' ? framing : 0;
    this.#trailerBytes = 0;
    if (framing === 'chunked') this.#state = 'chunk-size';
    else if (framing === 'close') this.#state = 'close';
    else this.#state = framing === 0 ? 'done' : 'length';
    this.#head = head;
    this.#sink?.onHead(head);
    return next;
  }

  /** A service that speaks another protocol may wait for our next word, so its first bytes must be enough. */
  #mustBeginWell(): void {
    const begun = this.#held?.subarray(0, this.#heldBytes) ?? LINE_END;
    const first = begun.toString('latin1', 0, BEGINNING.length);
    const lineEnd = begun.indexOf(0x0a);
    const lineBytes = lineEnd < 0 ? begun.length : lineEnd;
    if (!BEGINNING.startsWith(first) || lineBytes > MAX_STATUS_LINE || (lineEnd > 0 && begun[lineEnd - 1] !== 0x0d)) {
      throw new ResponseFault('does not begin with a status line');
    }
  }

  #bodyAt(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing);
    this.#missing -= end - at;
    if (this.#missing === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'done';
    this.#sink?.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  /** The lines of a chunked body. */
  #lineAt(bytes: Buffer, at: number): number {
    const limit =
      this.#state === 'chunk-size'
        ? MAX_CHUNK_LINE
        : this.#state === 'trailer'
          ? MAX_HEAD_BYTES - this.#trailerBytes
          : 0;
    const next = this.#collect(bytes, at, LINE_END, limit);
    const line = this.#text;
    if (line === undefined) return next;
    if (this.#state === 'chunk-size') {
      this.#missing = chunkSize(line);
      this.#state = this.#missing === 0 ? 'trailer' : 'chunk';
    } else if (this.#state === 'chunk-end') {
      this.#state = 'chunk-size';
    } else if (line === '') {
      this.#state = 'done';
    } else {
      if (!isTrailer(line)) throw new ResponseFault('has a malformed trailer');
      this.#trailerBytes += line.length;
    }
    return next;
  }

  /**
   * Sets `#text` to what stands before the mark, if the mark has arrived; otherwise keeps the bytes.
   * @param limit most bytes before the mark
   * @returns the place behind the mark, or the end of the bytes
   */
  #collect(bytes: Buffer, at: number, mark: Buffer, limit: number): number {
    if (this.#heldBytes === 0) {
      const end = bytes.indexOf(mark, at);
      if (end >= 0 && end - at <= limit) {
        this.#text = bytes.toString('latin1', at, end);
        return end + mark.length;
      }
    }
    this.#held ??= Buffer.allocUnsafe(MAX_HEAD_BYTES + HEAD_END.length);
    const before = this.#heldBytes;
    const most = limit + mark.length;
    const total = before + bytes.copy(this.#held, before, at, Math.min(bytes.length, at + most - before));
    const end = this.#held.subarray(0, total).indexOf(mark, Math.max(0, before - mark.length + 1));
    if (end >= 0) {
      this.#text = this.#held.toString('latin1', 0, end);
      this.#heldBytes = 0;
      return at + end + mark.length - before;
    }
    if (total === most)
      throw new ResponseFault(limit === 0 ? 'has a malformed chunk' : `has a line or head over ${limit} bytes`);
    this.#text = undefined;
    this.#heldBytes = total;
    return bytes.length;
  }
}

function chunkSize(line: string): number {
  const digits = CHUNK_LINE.exec(line)?.[1];
  if (digits === undefined) throw new ResponseFault('has a malformed chunk size');
  return Number.parseInt(digits, 16);
}
