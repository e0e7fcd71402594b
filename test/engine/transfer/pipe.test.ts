import { expect, test } from 'vitest';
import { PIPE_BYTES, Pipe } from '../../../src/engine/transfer/pipe.js';
import { bytesOf } from '../support.js';

const KiB = 1024;
const pipe = (size: number) => new Pipe(size, new Uint8Array(PIPE_BYTES));

async function drain(from: Pipe, size: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let got = 0; got < size; ) {
    const piece = Uint8Array.from(await from.next());
    expect(piece.byteLength).toBeGreaterThan(0);
    pieces.push(piece);
    got += piece.byteLength;
  }
  return Buffer.concat(pieces);
}

test.each([1, 1000, 16 * KiB, 100 * KiB + 1, 256 * KiB])('bytes that come by %s leave in order', async (step) => {
  const body = bytesOf('body', 2 * 1024 * KiB + 3);
  const size = step === 1 ? 3000 : body.byteLength;
  const through = pipe(size);
  const drained = drain(through, size);
  for (let at = 0; at < size; at += step) {
    const piece = Uint8Array.from(body.subarray(at, Math.min(at + step, size)));
    const room = through.take(piece);
    // The reader's memory is used for the next read.
    piece.fill(0);
    await room;
  }
  expect((await drained).equals(body.subarray(0, size))).toBe(true);
});

test('asks for a pause while another read might not fit, and takes even that', async () => {
  const body = bytesOf('body', 2 * 1024 * KiB);
  const through = pipe(body.byteLength);
  expect(through.take(body.subarray(0, 384 * KiB))).toBeUndefined();
  const room = through.take(body.subarray(384 * KiB, 640 * KiB));
  expect(room).toBeInstanceOf(Promise);
  const late = through.take(body.subarray(640 * KiB, 1024 * KiB));
  expect(late).toBe(room);
  let went = false;
  void room?.then(() => (went = true));
  const first = await drain(through, 256 * KiB);
  expect(went).toBe(false);
  const second = await drain(through, 768 * KiB);
  expect(went).toBe(true);
  expect(Buffer.concat([first, second]).equals(body.subarray(0, 1024 * KiB))).toBe(true);
});

test('a writer that waits gets what has come, and not only whole pieces', async () => {
  const through = pipe(1024 * KiB);
  const waiting = through.next();
  through.take(bytesOf('a', 10));
  through.take(bytesOf('b', 10));
  expect(Buffer.from(await waiting)).toEqual(Buffer.concat([bytesOf('a', 10), bytesOf('b', 10)]));
});

test('a failure reaches the writer in place of what had come, and lets the reader go on', async () => {
  const through = pipe(1024 * KiB);
  const room = through.take(bytesOf('a', 640 * KiB));
  through.fail(new Error('gone'));
  await room;
  await expect(through.next()).rejects.toThrow('gone');
  const waits = pipe(10);
  const waiting = waits.next();
  waits.fail(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
});
