/**
 * A whole run over a modelled line, on its simulated clock: the objects pass the lanes and slots of a real run, and each
 * is cut when it begins.
 */

import { cutOf } from '../../../src/engine/plan/cut.js';
import { Slots } from '../../../src/engine/transfer/slots.js';
import { Tuner, type TunerLimits } from '../../../src/engine/tune/tune.js';
import type { Capabilities } from '../../../src/store/port.js';
import { type Line, MiB, STEP, Wire } from './links.js';

const S3 = { maxParts: 10_000, minPartSize: 5 * MiB, maxPartSize: 5120 * MiB, maxPutSize: 5120 * MiB };
/** As for the tuner's other tests. */
const PARTS = { delay: 0.4, buffer: 1.5 * MiB };
/** Seconds: nothing moves any more. */
const LONGEST = 10_000;

export interface Ran {
  seconds: number;
  /** Of each object, as it was cut. */
  partSizes: number[];
  /** Slots for parts, second by second. */
  slots: number[];
  /** Bytes held, at most. */
  memory: number;
}

export interface Conditions {
  limits: TunerLimits;
  luck: number;
  /** Nobody knows how much is left. */
  blind?: boolean;
}

/** Sends objects of the given sizes. */
export async function runOver(
  line: Line,
  sizes: readonly number[],
  { limits, luck, blind = false }: Conditions,
): Promise<Ran> {
  const wire = new Wire(line, { ...PARTS, luck });
  const slots = new Slots({}, { source: true, dest: false }, () => wire.now * 1000);
  const tuner = new Tuner(limits);
  const ran: Ran = { seconds: 0, partSizes: [], slots: [], memory: 0 };
  let held = 0;
  const send = async (size: number): Promise<void> => {
    held += size;
    ran.memory = Math.max(ran.memory, held);
    const part = slots.partFlow.begin(size);
    part.turn();
    await new Promise<void>((ended) => wire.begin(size, { accepted: part.wrote, ended }));
    part.end();
    held -= size;
  };
  const lanes = slots.lanes();
  const pushed = (async () => {
    for (const size of sizes) {
      await lanes.push({ size, byService: false }, async (opened) => {
        const { partSize, parts } = cutOf({
          size,
          limits: S3 as Capabilities,
          byService: false,
          tuned: slots.partSize,
        });
        ran.partSizes.push(partSize);
        const limit = slots.ofObject();
        const last = size - (parts - 1) * partSize;
        const sent = Array.from({ length: parts }, (_, n) => limit(() => send(n === parts - 1 ? last : partSize)));
        opened?.();
        await Promise.all(sent);
      });
    }
    await lanes.drain();
    ran.seconds = wire.now;
  })();
  while (ran.seconds === 0) {
    for (let step = STEP; step < 1 + STEP / 2; step += STEP) if (wire.step().ended > 0) await turns();
    const n = wire.requests.length;
    const refused = Math.round(line.refused?.(n) ?? 0);
    const parts = slots.partFlow.take(1000);
    const left = blind ? undefined : slots.left;
    tuner.sample({ ms: 1000, parts, objects: { done: 0, used: 0 }, throttled: refused, broken: 0, left });
    slots.set({ ...tuner.settings, partSize: tuner.partSize, lone: blind ? undefined : tuner.lone });
    ran.slots.push(tuner.settings.parts);
    await turns();
    if (wire.now > LONGEST) throw new Error('the run stands still');
  }
  await pushed;
  return ran;
}

/** What was waiting goes on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}
