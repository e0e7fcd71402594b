/** Store faults: rules that fail, change, delay or watch the calls that reach a store. */

import type * as port from '../../src/store/port.js';
import type { RequestKind } from '../../src/store/port.js';
import { type Around, type Call, InterceptedStore } from '../../src/store/wrap/intercept.js';

/** What a call carries besides its key. All but the bytes of a read are copies: changing them changes what is sent. */
interface Sent extends Record<RequestKind, object> {
  list: { readonly options: port.ListOptions };
  delete: { readonly keys: string[] };
  /** The caller's own buffer, which is full when `run` has resolved. */
  read: { readonly bytes: Uint8Array; readonly offset: number };
  put: { readonly bytes: Uint8Array };
  uploadPart: { readonly bytes: Uint8Array; readonly part: number };
}

/** A call as a rule sees it. `n` counts the calls of its kind since the rule was added, from 1. */
export type FaultCall<K extends RequestKind> = Call & { readonly n: number } & Sent[K];

type Answer<K extends RequestKind> = Awaited<ReturnType<NonNullable<port.ObjectStore[K]>>>;

/** Surrounds a call. `run` makes it, at the caller's pace unless it is given another. */
type Rule<K extends RequestKind> = (
  call: FaultCall<K>,
  run: (pace?: port.Pace) => Promise<Answer<K>>,
) => Promise<Answer<K>>;

type When<K extends RequestKind> = (call: FaultCall<K>) => boolean;
type Undo = () => void;

/** A store with faults. A rule surrounds the rules that were added before it, and holds until it is undone. */
export class FaultyStore extends InterceptedStore {
  #rules: { kind: RequestKind; around: Around }[] = [];
  /** Set for the interception, which follows at once. */
  #sent: object = {};

  constructor(inner: port.ObjectStore) {
    super(inner, (call, run) => {
      const own = { ...call, ...this.#sent };
      this.#sent = {};
      const make = (pace = call.pace) => run(pace);
      return this.#rules
        .filter(({ kind }) => kind === call.kind)
        .reduce(
          (next, { around }) =>
            (pace = call.pace) =>
              around({ ...own, pace }, next),
          make,
        )();
    });
  }

  around<K extends RequestKind>(kind: K, rule: Rule<K>): Undo {
    let n = 0;
    // The kind says what the call carries and what its answer is.
    const around = ((call: FaultCall<K>, run) => rule({ ...call, n: ++n }, run)) as Rule<K> as Around;
    const added = { kind, around };
    this.#rules = [...this.#rules, added];
    return () => {
      this.#rules = this.#rules.filter((one) => one !== added);
    };
  }

  /** Does something ahead of each call; what it throws, the call throws. */
  before<K extends RequestKind>(kind: K, act: (call: FaultCall<K>) => unknown): Undo {
    return this.around(kind, (call, run) =>
      Promise.resolve(call)
        .then(act)
        .then(() => run()),
    );
  }

  /** Changes the answers of calls that succeeded. */
  change<K extends RequestKind>(
    kind: K,
    to: (answer: Answer<K>, call: FaultCall<K>) => Answer<K> | Promise<Answer<K>>,
  ): Undo {
    return this.around(kind, (call, run) => run().then((answer) => to(answer, call)));
  }

  /** Fails calls that do not reach the store. */
  fail<K extends RequestKind>(kind: K, error: Error, when: When<K> = () => true): Undo {
    return this.before(kind, (call) => {
      if (when(call)) throw error;
    });
  }

  /** Fails calls that the store has carried out: their answers are lost. */
  lose<K extends RequestKind>(kind: K, error: Error, when: When<K> = () => true): Undo {
    return this.change(kind, (answer, call) => {
      if (when(call)) throw error;
      return answer;
    });
  }

  /** Flips a bit of the byte at `index` on its way to or from the store. */
  damage<K extends 'read' | 'put' | 'uploadPart'>(kind: K, index: number, when: When<K> = () => true): Undo {
    const flip = (call: FaultCall<K>): void => {
      if (when(call)) call.bytes[index] = (call.bytes[index] ?? 0) ^ 1;
    };
    if (kind !== 'read') return this.before(kind, flip);
    return this.change(kind, (answer, call) => {
      flip(call);
      return answer;
    });
  }

  /** Holds calls until the returned function is called. */
  hold<K extends RequestKind>(kind: K, when: When<K> = () => true): () => void {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.before(kind, (call) => (when(call) ? released : undefined));
    return release;
  }

  override list(options: port.ListOptions): Promise<port.ListPage> {
    const own = { ...options };
    return this.#with({ options: own }, () => super.list(own));
  }

  override delete(keys: readonly string[], options?: port.DeleteCallOptions): Promise<port.DeleteFailure[]> {
    const own = [...keys];
    return this.#with({ keys: own }, () => super.delete(own, options));
  }

  override read(key: string, bytes: Uint8Array, options?: port.ReadOptions): ReturnType<port.ObjectStore['read']> {
    return this.#with({ bytes, offset: options?.offset ?? 0 }, () => super.read(key, bytes, options));
  }

  override put(key: string, body: Uint8Array, options?: port.PutOptions): Promise<port.WriteResult> {
    const bytes = Uint8Array.from(body);
    return this.#with({ bytes }, () => super.put(key, bytes, options));
  }

  override uploadPart(
    upload: port.UploadRef,
    part: number,
    body: Uint8Array,
    options?: port.PartOptions,
  ): Promise<port.PartResult> {
    const bytes = Uint8Array.from(body);
    return this.#with({ bytes, part }, () => super.uploadPart(upload, part, bytes, options));
  }

  /** Not a HEAD for the rules: it is a question of its own. */
  override firstPartSize(...args: Parameters<port.ObjectStore['firstPartSize']>): Promise<number | undefined> {
    return this.inner.firstPartSize(...args);
  }

  #with<T>(sent: object, run: () => T): T {
    this.#sent = sent;
    return run();
  }
}
