import { expect, it } from 'vitest';
import type { ObjectInfo } from '../../src/model/object.js';
import type { PieceSink } from '../../src/store/port.js';
import { type Backend, expectCode, inPieces, pattern, readAll, useSubject } from './context.js';

/** Keeps what it takes. `waits` has it ask for a pause after each piece. */
class Collector implements PieceSink {
  readonly infos: ObjectInfo[] = [];
  readonly #pieces: Uint8Array[] = [];
  taken = 0;

  constructor(
    readonly byteLength: number,
    private readonly waits = false,
  ) {}

  begin(info: ObjectInfo): void {
    this.infos.push(info);
  }

  take(piece: Uint8Array): Promise<void> | undefined {
    this.#pieces.push(Uint8Array.from(piece));
    this.taken += piece.byteLength;
    return this.waits ? new Promise((resolve) => setImmediate(resolve)) : undefined;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/** Bodies that are passed on while they arrive; only for stores that can. */
export function describePieces(backend: Backend): void {
  const subject = useSubject(backend);
  const reader = () => {
    const { store } = subject();
    return store.readPieces?.bind(store);
  };
  const writer = () => {
    const { store } = subject();
    return store.putPieces?.bind(store);
  };

  it('reads the bytes in order after it has described the object', async ({ skip }) => {
    const read = reader() ?? skip();
    const { store } = subject();
    const body = pattern(700_001);
    const { etag } = await store.put('a', body, { metadata: { a: 'b' } });
    for (const waits of [false, true]) {
      const sink = new Collector(700_001, waits);
      const info = await read('a', sink, { ifMatch: etag });
      expect(sink.bytes.equals(body)).toBe(true);
      expect(sink.infos).toEqual([info]);
      expect(info).toEqual((await readAll(store, 'a')).info);
    }
  });

  it('reads what the sink has not taken, so that a broken read can be repeated', async ({ skip }) => {
    const read = reader() ?? skip();
    const body = pattern(100_000);
    await subject().store.put('a', body);
    const sink = new Collector(90_000);
    sink.taken = 40_000;
    await read('a', sink, { offset: 5_000 });
    expect(sink.bytes.equals(body.subarray(45_000, 95_000))).toBe(true);
    expect(await read('a', sink, { offset: 5_000 })).toMatchObject({ key: 'a', size: 100_000 });
    expect(sink.taken).toBe(90_000);
  });

  it('passes nothing on of another version, of a missing object, or after the sink has failed', async ({ skip }) => {
    const read = reader() ?? skip();
    const { store } = subject();
    const old = await store.put('a', pattern(1000, 1));
    await store.put('a', pattern(1000, 2));
    const sink = new Collector(1000);
    await expectCode(read('a', sink, { ifMatch: old.etag }), 'precondition-failed');
    await expectCode(read('missing', sink), 'object-not-found');
    expect(sink).toMatchObject({ taken: 0, infos: [] });
    const full = new Error('no room');
    const failing: PieceSink = { byteLength: 1000, taken: 0, begin: () => undefined, take: () => Promise.reject(full) };
    await expect(read('a', failing)).rejects.toMatchObject({ cause: full });
  });

  it('says so when an object has fewer bytes than asked for', async ({ skip }) => {
    const read = reader() ?? skip();
    await subject().store.put('a', pattern(1000));
    await expectCode(read('a', new Collector(1001)), 'truncated');
  });

  it('writes a body whose pieces come at once or later, and opens it once', async ({ skip }) => {
    const put = writer() ?? skip();
    const { store } = subject();
    const body = pattern(700_001);
    const source = inPieces(body, 1, 70_000, 3);
    let paced = 0;
    const pace = (count: number) => {
      paced += count;
      return count % 2 === 0 ? Promise.resolve() : undefined;
    };
    const written = await put('a', source, { metadata: { a: 'b' }, pace });
    const now = await readAll(store, 'a');
    expect(Buffer.compare(now.body, body)).toBe(0);
    expect(now.info).toMatchObject({ etag: written.etag, metadata: { a: 'b' } });
    expect({ opened: source.opened, paced }).toEqual({ opened: 1, paced: 700_001 });
  });

  it('writes nothing of a body that fails', async ({ skip }) => {
    const put = writer() ?? skip();
    const { store } = subject();
    await store.put('a', pattern(10));
    let n = 0;
    const gone = new Error('gone');
    const next = () => (n++ < 2 ? pattern(1000) : Promise.reject(gone));
    await expect(put('a', { byteLength: 10_000, open: () => ({ next }) })).rejects.toMatchObject({ cause: gone });
    expect((await readAll(store, 'a')).body).toEqual(pattern(10));
  });
}
