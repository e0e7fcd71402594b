/** The last waves of a run: how long it takes to its very end, on a simulated clock. */
import { describe, expect, it } from 'vitest';
import { type Lone, partSizeAtEnd } from '../../../src/engine/tune/end.js';
import { bbr, capped, clean, halving, type Line, lossy, Mbit, MiB, ROOMY, throttling } from './links.js';
import { type Conditions, type Ran, runOver } from './links-run.js';

const LUCKS = [1, 2, 3];
const OBJECTS = Array.from({ length: 16 }, () => 128 * MiB);
const limited = (memory: number): Conditions['limits'] => ({ ...ROOMY, memory });

function onEachLuck(line: Line, conditions: Omit<Conditions, 'luck'>, objects = OBJECTS): Promise<Ran[]> {
  return Promise.all(LUCKS.map((luck) => runOver(line, objects, { ...conditions, luck })));
}

const meanSeconds = (runs: readonly Ran[]): number => runs.reduce((sum, { seconds }) => sum + seconds, 0) / runs.length;

describe('over a line on which each connection carries the same however many there are', () => {
  it('1.6 waves of parts become one, if there is memory for it, and the whole run uses 60 % of the line', async () => {
    const runs = await onEachLuck(lossy(), { limits: limited(2560 * MiB) });
    for (const { partSizes } of runs) expect(new Set(partSizes)).toEqual(new Set([8 * MiB]));
    expect(meanSeconds(runs)).toBeLessThan((16 * 128 * MiB) / (0.6 * 200 * Mbit));
  });

  it('a run that knows how much is left ends sooner than one that does not', async () => {
    const lines = { lossy: lossy(), worse: capped(0.3 * Mbit, 96 * Mbit) };
    for (const line of Object.values(lines)) {
      const blind = meanSeconds(await onEachLuck(line, { limits: limited(2560 * MiB), blind: true }));
      expect(meanSeconds(await onEachLuck(line, { limits: limited(2560 * MiB) }))).toBeLessThan(0.98 * blind);
    }
  });

  it('no slot is given up when it is missed at once', async () => {
    for (const { slots } of await onEachLuck(lossy(), { limits: limited(1536 * MiB) })) {
      expect(Math.min(...slots.slice(20))).toBe(256);
    }
  });

  it('no more memory is held than there is', async () => {
    for (const gib of [1.5, 1.75, 2]) {
      const [run] = await onEachLuck(lossy(), { limits: limited(gib * 1024 * MiB) });
      expect(run?.memory).toBeLessThanOrEqual(gib * 1024 * MiB);
    }
  });
});

it('a line that changes does not make parts large again, which would take minutes more', async () => {
  const objects = Array.from({ length: 24 }, () => 128 * MiB);
  for (const { partSizes } of await onEachLuck(
    halving(lossy(), 30, 50),
    { limits: limited(1536 * MiB), blind: true },
    objects,
  )) {
    expect(Math.max(...partSizes.slice(2))).toBe(5 * MiB);
  }
});

it.each([
  ['clean', clean()],
  ['BBR', bbr()],
  ['capped', capped(8 * Mbit, 400 * Mbit)],
  ['halved', halving(clean(), 15, 40)],
  ['throttled', throttling(capped(8 * Mbit, 4000 * Mbit), 50)],
])('on a %s line nothing is lost by it', async (_, line) => {
  const blind = meanSeconds(await onEachLuck(line, { limits: limited(1536 * MiB), blind: true }));
  expect(meanSeconds(await onEachLuck(line, { limits: limited(1536 * MiB) }))).toBeLessThan(1.02 * blind);
});

describe('the parts of what is left', () => {
  const lone: Lone = { n: 256, each: 90_000, memory: 4096 * MiB };
  const of = (objects: number[], moving: { size: number; ms: number }[] = [], changes: Partial<Lone> = {}): number =>
    partSizeAtEnd({ objects, moving }, { ...lone, ...changes }, 5 * MiB) / MiB;

  it('are as large as makes one wave of what is more than one', () => {
    expect(of(OBJECTS)).toBe(8);
  });

  it('keep their usual size where all of them go at once, and where many waves are left', () => {
    expect(of(OBJECTS.slice(0, 8))).toBe(5);
    expect(of(Array.from({ length: 100 }, () => 128 * MiB))).toBe(5);
  });

  it('keep their usual size where memory has no room for larger ones', () => {
    expect(of(OBJECTS, [], { memory: 1536 * MiB })).toBe(5);
  });

  it('count on the slots that are free, not on those whose parts go on for long', () => {
    const moving = Array.from({ length: 128 }, () => ({ size: 8 * MiB, ms: 0 }));
    expect(of(OBJECTS.slice(0, 8))).toBe(5);
    expect(of(OBJECTS.slice(0, 8), moving)).toBe(8);
  });
});
