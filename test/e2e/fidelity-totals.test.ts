/**
 * What is told of attributes by a run that Ctrl-C ends and by those that continue it: together it is what one run would have
 * told, in summaries, in events and on the report pages.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FidelitySum } from '../../src/engine/events.js';
import type { PutInput } from '../support/server/index.js';
import { bytesOf } from './fixtures.js';
import { type Bucket, Lab, type Outcome, type Running, summaryOf } from './harness.js';

const OBJECTS = 24;
const LARGE = 900 * 1024;
const SHAPE = ['--json', '--tags', '--acl', '--part-size', '128K', '--transfers', '2', '--part-concurrency', '1'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** In turn: nothing to tell, all kept, mapped, and lost in two ways. */
const KINDS: readonly PutInput[] = [
  {},
  { metadata: { owner: 'me' }, tags: [{ key: 'a', value: '1' }], acl: 'public-read' },
  { metadata: { my_key: '1' } },
  { acl: 'authenticated-read', redirect: '/elsewhere' },
  { tags: [{ key: 'größe', value: '1' }], metadata: { my_key: '2' } },
];

function planted(): Bucket {
  const source = lab.east.bucket();
  for (let n = 0; n < OBJECTS; n++) {
    const key = `k${String(n).padStart(2, '0')}`;
    source.put(key, bytesOf(key, n % 8 === 3 ? LARGE : 100), KINDS[n % KINDS.length]);
  }
  return source;
}

type Totals = Pick<FidelitySum, 'kept' | 'mapped' | 'lost' | 'objects'> & { reasons: string[]; keys: string[] };

/** Of several runs together. */
function totalsOf(sums: readonly (FidelitySum | undefined)[]): Totals {
  const total: Totals = { kept: {}, mapped: {}, lost: {}, objects: 0, reasons: [], keys: [] };
  const reasons = new Map<string, number>();
  for (const sum of sums) {
    if (!sum) continue;
    for (const became of ['kept', 'mapped', 'lost'] as const) {
      for (const [name, count] of Object.entries(sum[became])) {
        const counts: Record<string, number> = total[became];
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
    total.objects += sum.objects;
    total.keys.push(...sum.list.map(({ key }) => key));
    for (const { became, attribute, reason, objects } of sum.reasons) {
      const text = `${became} ${attribute}: ${reason}`;
      reasons.set(text, (reasons.get(text) ?? 0) + objects);
    }
  }
  total.reasons = [...reasons].map(([text, objects]) => `${objects} ${text}`).sort();
  total.keys.sort();
  return total;
}

/** The page has the totals of this run, and names the objects that lost something in it, and no others. */
async function expectPage(outcome: Outcome, all: readonly string[]): Promise<void> {
  const { runId, fidelity } = summaryOf(outcome);
  const page = (await lab.run(['report', runId])).stdout;
  const own = fidelity?.list.map(({ key }) => key) ?? [];
  const section = page.slice(page.indexOf('<h2>Attributes'));
  expect(all.filter((key) => section.includes(`>${key}<`))).toEqual([...own].sort());
  const numbers =
    /<td>tags<\/td>(.*?)<\/tr>/s
      .exec(section)?.[1]
      ?.replace(/<[^>]*>/g, ' ')
      .trim() ?? '';
  const { kept, mapped, lost } = fidelity ?? { kept: {}, mapped: {}, lost: {} };
  const counts = [kept.tags, mapped.tags, lost.tags].filter((count) => count !== undefined);
  expect(numbers.split(/\s+/).filter(Boolean).map(Number)).toEqual(counts);
}

/** Presses Ctrl-C at the nth write of an object or a part. */
async function interrupted(args: readonly string[], dest: Bucket, nth: number): Promise<Outcome> {
  let running: Running | undefined;
  const stop = dest.fault(
    { kind: 'call', run: () => running?.kill('SIGINT') },
    { kind: ['PutObject', 'UploadPart'], nth },
  );
  running = lab.start(args);
  const outcome = await running.done;
  stop();
  return outcome;
}

test.each([[[1]], [[4]], [[9]], [[6, 5, 7]], [[15, 1]]])(
  'interrupted at the writes %j, they add up',
  async (instants) => {
    const source = planted();
    const [whole, dest] = [lab.shanghai.bucket(), lab.shanghai.bucket()];
    const expected = totalsOf([summaryOf(await lab.run(['copy', source.at(), whole.at(), ...SHAPE])).fidelity]);
    expect(Object.keys(expected.lost).length).toBeGreaterThan(1);

    const args = ['copy', source.at(), dest.at(), ...SHAPE];
    const runs: Outcome[] = [];
    for (const nth of instants) runs.push(await interrupted(args, dest, nth));
    expect(runs.map(({ code }) => code)).toEqual(instants.map(() => 130));
    runs.push(await lab.run(args));
    expect(runs.at(-1)?.code).toBe(0);

    expect(totalsOf(runs.map((run) => summaryOf(run).fidelity))).toEqual(expected);
    for (const run of runs) await expectPage(run, expected.keys);
    expect(summaryOf(await lab.run(args)).fidelity).toBeUndefined();
  },
);
