import { describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';
import { LARGE_PIPE_BYTES, leasePipe, PIPE_BYTES, Pipe } from '../../../src/engine/transfer/pipe.js';
import { bytesOf } from '../support.js';

const KiB = 1024;
const pipe = (size: number, memory = PIPE_BYTES) => new Pipe(size, new Uint8Array(memory));

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

describe.each([PIPE_BYTES, LARGE_PIPE_BYTES])('in %i bytes of memory', (memory) => {
  test.each([1, 1000, 16 * KiB, 100 * KiB + 1, 256 * KiB])('bytes that come by %s leave in order', async (step) => {
    const body = bytesOf('body', 8 * 1024 * KiB + 3);
    const size = step === 1 ? 3000 : body.byteLength;
    const through = pipe(size, memory);
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
});

test('pieces are large as long as they leave half of the memory to others', async () => {
  const budget = new MemoryBudget(4 * LARGE_PIPE_BYTES);
  const leases = [];
  for (let n = 0; n < 3; n++) leases.push(await leasePipe(budget));
  const sizes = [LARGE_PIPE_BYTES, LARGE_PIPE_BYTES, PIPE_BYTES];
  expect(leases.map(({ bytes }) => bytes.byteLength)).toEqual(sizes);
  for (const lease of leases) lease.release();
  expect(budget.used).toBe(0);
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
  const first = await drain(through, 192 * KiB);
  expect(went).toBe(false);
  const second = await drain(through, 832 * KiB);
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

/** As a socket does that was given the memory. */
function read(into: Pipe, bytes: Uint8Array): { room: Uint8Array | undefined; taken: number } {
  const room = into.room();
  if (!room) return { room, taken: 0 };
  const taken = Math.min(room.byteLength, bytes.byteLength);
  room.set(bytes.subarray(0, taken));
  into.take(room.subarray(0, taken));
  return { room, taken };
}

test('bytes that were read into the room of the pipe leave from there, in order with those that were not', async () => {
  const memory = new Uint8Array(PIPE_BYTES);
  const body = bytesOf('body', 3 * 1024 * KiB + 5);
  const through = new Pipe(body.byteLength, memory);
  const drained = drain(through, body.byteLength);
  for (let at = 0, turn = 0; at < body.byteLength; turn++) {
    const copied = turn % 5 === 0 ? body.subarray(at, at + 7 * KiB) : undefined;
    if (copied) {
      await through.take(copied);
      at += copied.byteLength;
    }
    const { room, taken } = read(through, body.subarray(at, at + 50 * KiB));
    if (room) expect(room.buffer).toBe(memory.buffer);
    at += taken;
    if (turn % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await drained).equals(body)).toBe(true);
});

test('what is read into a piece that has left meanwhile is not lost, and changes nothing that is on its way', async () => {
  const body = bytesOf('body', 20 * KiB);
  const through = pipe(body.byteLength);
  const first = read(through, body.subarray(0, 10 * KiB));
  // Given to the socket, which has nothing yet. The writer takes what there is.
  const room = through.room();
  const sent = Uint8Array.from(await through.next());
  expect(sent.byteLength).toBe(first.taken);
  room?.set(body.subarray(10 * KiB));
  through.take(room?.subarray(0, 10 * KiB) ?? new Uint8Array(0));
  const rest = Uint8Array.from(await through.next());
  expect(Buffer.concat([sent, rest]).equals(body)).toBe(true);
});

test('there is no room while every piece is in use, and a little of it is not worth a read', () => {
  const through = pipe(4 * 1024 * KiB);
  read(through, bytesOf('a', 150 * KiB));
  expect(through.room()?.byteLength).toBe(192 * KiB);
  for (let n = 0; n < 3; n++) read(through, bytesOf('b', 192 * KiB));
  expect(through.room()).toBeUndefined();
});

test('what comes late has a place in a large pipe, too, although a read fills all the room there is', async () => {
  const body = bytesOf('body', LARGE_PIPE_BYTES);
  const through = pipe(2 * LARGE_PIPE_BYTES, LARGE_PIPE_BYTES);
  let at = 0;
  const fill = (most: number): Promise<void> | undefined => {
    const room = through.room() ?? expect.fail('there is no room');
    const piece = body.subarray(at, at + Math.min(most, room.byteLength));
    room.set(piece);
    at += piece.byteLength;
    return through.take(room.subarray(0, piece.byteLength));
  };
  while (!fill(LARGE_PIPE_BYTES));
  // As TLS does after a pause.
  for (let late = 0; late < 64 * KiB; late += 16 * KiB) fill(16 * KiB);
  expect((await drain(through, at)).equals(body.subarray(0, at))).toBe(true);
});
