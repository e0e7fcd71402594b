/**
 * The body of one object, read and written at the same time. The read goes on where it breaks (the store's retry wrapper
 * repeats it); a write that is repeated has the source read again from the start.
 * Tests: test/engine/transfer/in-pieces.test.ts
 */
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { PieceSink, PieceSource, Pieces } from '../../store/port.js';
import { Pipe } from './pipe.js';

/** Looks at the bytes on their way. */
export interface BodyCheck {
  update(piece: Uint8Array): void;
  /** Called after the last byte, before it goes on. Throws if the body is not what was planned. */
  end(): void;
}

export interface RelayOptions {
  size: number;
  /** That of a pipe. */
  memory: Uint8Array;
  /** Reads the bytes that the sink lacks. */
  read(sink: PieceSink, signal: AbortSignal): Promise<ObjectInfo>;
  /** Called with what each response says of the source. Throws if that is not what was planned. */
  begin(info: ObjectInfo): BodyCheck | undefined;
  /** Aborts everything. */
  signal: AbortSignal;
}

export class Relay implements PieceSource {
  readonly byteLength: number;
  readonly #options: RelayOptions;
  /** Begun and not yet taken by a request. */
  #begun: Flow | undefined;
  #flow: Flow | undefined;
  #fault: { error: unknown } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.byteLength = options.size;
  }

  /** Starts to read. @returns what the source says of the object, before its bytes have gone anywhere */
  begin(): Promise<ObjectInfo> {
    this.#begun = this.#start();
    return this.#begun.info;
  }

  open(): Pieces {
    const flow = this.#begun ?? this.#start();
    this.#begun = undefined;
    return flow.pipe;
  }

  /** Why the source's bytes did not all come, if that is so; a write that fails for this reason says `aborted`. */
  get fault(): { error: unknown } | undefined {
    return this.#fault;
  }

  /** Resolves when the source has been read to its end. @throws its error */
  async end(): Promise<void> {
    await this.#flow?.ended;
    if (this.#fault) throw this.#fault.error;
  }

  /** Resolves when the memory is no longer used by the read. */
  async stop(): Promise<void> {
    // An abort makes an error with a stack trace, which most objects do not need.
    if (this.#flow?.running) this.#flow.stop.abort();
    await this.#flow?.ended;
  }

  #start(): Flow {
    this.#flow?.stop.abort();
    const flow = new Flow(this.#options);
    this.#flow = flow;
    flow.ended = flow.run().catch((error: unknown) => {
      if (this.#flow === flow) this.#fault = { error };
    });
    return flow;
  }
}

/** The source's bytes, once, from the first one on. */
class Flow implements PieceSink {
  readonly pipe: Pipe;
  readonly byteLength: number;
  readonly info: Promise<ObjectInfo>;
  readonly stop = new AbortController();
  ended: Promise<void> = Promise.resolve();
  running = true;
  taken = 0;
  readonly #options: RelayOptions;
  #check: BodyCheck | undefined;
  #told: { resolve: (info: ObjectInfo) => void; reject: (error: unknown) => void } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.byteLength = options.size;
    this.pipe = new Pipe(options.size, options.memory);
    this.info = new Promise((resolve, reject) => {
      this.#told = { resolve, reject };
    });
    // Whoever does not ask need not hear that it failed.
    this.info.catch(() => undefined);
  }

  begin(info: ObjectInfo): void {
    const check = this.#options.begin(info);
    if (this.taken === 0) this.#check = check;
    this.#told?.resolve(info);
  }

  take(piece: Uint8Array): Promise<void> | undefined {
    // Its memory belongs to the next one.
    if (this.stop.signal.aborted) throw new XsyncError('aborted', 'the read was stopped');
    this.taken += piece.byteLength;
    this.#check?.update(piece);
    if (this.taken === this.byteLength) this.#check?.end();
    return this.pipe.take(piece);
  }

  room(): Uint8Array | undefined {
    return this.stop.signal.aborted ? undefined : this.pipe.room();
  }

  async run(): Promise<void> {
    const { read, signal } = this.#options;
    const abort = (): void => this.stop.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      await read(this, this.stop.signal);
    } catch (error) {
      this.#told?.reject(error);
      // Not the source's own error: the writing store would take it for an answer of its service.
      this.pipe.fail(new XsyncError('aborted', 'the source could not be read to its end', { cause: error }));
      throw error;
    } finally {
      this.running = false;
      signal.removeEventListener('abort', abort);
    }
  }
}
