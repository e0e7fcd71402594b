import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runningMd5 } from '../../src/hash/index.js';
import { LANES } from '../../src/hash/md5-code.js';
import { initialState, Md5Lanes } from '../../src/hash/md5-lanes.js';
import { Md5Of, Together } from '../../src/hash/md5-together.js';

const KiB = 1024;
const trusted = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** Passes the body on in pieces of these sizes, in turn. */
async function hashed(body: Uint8Array, sizes: readonly number[], hash = runningMd5(KiB * KiB)): Promise<string> {
  for (let at = 0, n = 0; at < body.byteLength; n++) {
    const piece = Uint8Array.from(body.subarray(at, at + (sizes[n % sizes.length] ?? 1)));
    await hash.update(piece);
    // Its memory belongs to the next one.
    piece.fill(0);
    at += piece.byteLength;
  }
  return hash.digest();
}

/** How many bodies each step hashed. */
function counting(): { shared: Together; steps: number[] } {
  const lanes = Md5Lanes.create();
  if (!lanes) throw new Error('this processor has no SIMD');
  const steps: number[] = [];
  const shared = new Together({
    advance: (states, bodies) => {
      steps.push(states.length);
      lanes.advance(states, bodies);
    },
    advanceOne: (state, body) => {
      if (body.byteLength > 64) steps.push(1);
      lanes.advanceOne(state, body);
    },
  });
  return { shared, steps };
}

describe('MD5s of bodies that arrive together', () => {
  it.each([1, 2, 3, 8, 9, 20])('are those of each of %i bodies, whatever their lengths and pieces', async (count) => {
    const bodies = Array.from({ length: count }, (_, n) => randomBytes(n * 40_009 + (n % 3)));
    const sums = bodies.map((body, n) => hashed(body, [64 * KiB, 1 + n, 63, 64, 65, 128 * KiB]));
    expect(await Promise.all(sums)).toEqual(bodies.map(trusted));
  });

  it.each([0, 1, 55, 56, 63, 64, 65, 127, 128])('are right for a body of %i bytes, byte by byte', async (length) => {
    const body = randomBytes(length);
    expect(await hashed(body, [1])).toBe(trusted(body));
    expect(await hashed(body, [1], runningMd5(length))).toBe(trusted(body));
  });

  it('take one step for eight, or the CPU that this saves would be spent', async () => {
    const { shared, steps } = counting();
    const bodies = Array.from({ length: LANES }, () => randomBytes(256 * KiB));
    const sums = bodies.map((body) => hashed(body, [64 * KiB], new Md5Of(shared)));
    expect(await Promise.all(sums)).toEqual(bodies.map(trusted));
    expect(steps).toEqual([8, 8, 8, 8]);
  });

  it('wait for others only a moment, or the last part would never be written', async () => {
    const { shared, steps } = counting();
    const state = initialState();
    await shared.add(state, randomBytes(128));
    expect(steps).toEqual([1]);
  });
});
