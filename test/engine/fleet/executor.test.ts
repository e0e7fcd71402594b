/** Runs whose tickets are performed by machines that are in this thread, but get nothing that was not cloned. */
import { describe, expect, test } from 'vitest';
import type { Fleet, FleetLink, FleetRun } from '../../../src/engine/fleet/port.js';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';
import type { RunPair } from '../../../src/engine/pair.js';
import { EtagTrust } from '../../../src/engine/transfer/etag-trust.js';
import { sendLonePart } from '../../../src/engine/transfer/lone-part.js';
import { type Means, Unfinished } from '../../../src/engine/transfer/means.js';
import { perform } from '../../../src/engine/transfer/perform.js';
import { Slots } from '../../../src/engine/transfer/slots.js';
import { XsyncError } from '../../../src/model/error.js';
import type { Outcome } from '../../../src/model/outcome.js';
import type { CopyTicket } from '../../../src/model/ticket.js';
import { bytesOf, contentOf, Pair } from '../support.js';

const KIB = 1024;
const SIZE = 800 * KIB;
const PARTS = { partSize: 100 * KIB, largestPart: 100 * KIB };

class FleetPair extends Pair {
  /** What the machines did. */
  readonly whole: string[] = [];
  readonly parts: number[] = [];
  left: { ticket: CopyTicket; outcome: Outcome }[] = [];
  stopAfter = Number.POSITIVE_INFINITY;

  override open(): RunPair {
    const fleet: Fleet = { objects: 100, join: (run) => this.#link(run) };
    return { ...super.open(), fleet };
  }

  #link(run: FleetRun): FleetLink {
    const means: Means = {
      ...{ source: this.faults.source, dest: this.faults.dest, halt: run.halt, checkpoints: run.checkpoints },
      ...{ budget: new MemoryBudget(64 * KIB * KIB), slots: new Slots({ transfers: 4, partConcurrency: 2 }) },
      ...{ etags: { source: new EtagTrust(), dest: new EtagTrust() }, refusals: new Map(), observe: run.observe },
    };
    const sending: Promise<unknown>[] = [];
    return {
      open: async () => {
        for (const { ticket, outcome } of this.left) if (outcome.kind === 'copied') run.recovered(ticket, outcome);
        run.flush();
      },
      perform: (ticket) => {
        this.whole.push(ticket.key);
        return perform(structuredClone(ticket), means);
      },
      sendPart: async (part) => {
        if (this.parts.length >= this.stopAfter) {
          await Promise.all(sending);
          run.halt.stop('interrupted', 'parts');
          throw new Unfinished();
        }
        this.parts.push(part.partNumber);
        const sent = sendLonePart(means, structuredClone(part));
        sending.push(sent);
        return structuredClone(await sent);
      },
      drain: async () => undefined,
      close: () => undefined,
    };
  }

  /** A source in parts has a checksum that is made of theirs. */
  async large(key: string): Promise<void> {
    const bytes = bytesOf(key, SIZE);
    const upload = await this.source.createUpload(key, {});
    const parts: { partNumber: number; etag: string }[] = [];
    for (let n = 1; n <= 8; n++) {
      const part = bytes.subarray((n - 1) * PARTS.partSize, n * PARTS.partSize);
      parts.push({ partNumber: n, etag: (await this.source.uploadPart(upload, n, part, {})).etag });
    }
    await this.source.completeUpload(upload, parts, {});
  }
}

const same = async (pair: Pair, key: string) =>
  Buffer.compare(await contentOf(pair.dest, key), await contentOf(pair.source, key)) === 0;

describe('with other machines', () => {
  test('they copy objects, and share one whose checksum is made of its parts', async () => {
    const pair = new FleetPair();
    for (let n = 0; n < 10; n++) await pair.source.put(`small-${n}`, bytesOf(`${n}`, 100));
    await pair.large('large');
    const run = await pair.copy(PARTS);
    expect(run.copied.objects).toBe(11);
    expect(run.verified).toEqual({ md5: 10, 'md5-of-parts': 1 });
    expect(pair.whole.length).toBe(10);
    expect(pair.parts.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await same(pair, 'large')).toBe(true);
    expect(pair.manifest.get('large')?.verifiedBy).toBe('md5-of-parts');
  });

  test('one machine copies an object whose checksum needs its bytes in order', async () => {
    const pair = new FleetPair();
    await pair.source.put('large', bytesOf('large', SIZE));
    const run = await pair.copy(PARTS);
    expect(run.verified).toEqual({ md5: 1 });
    expect([pair.whole, pair.parts]).toEqual([['large'], []]);
    expect(await same(pair, 'large')).toBe(true);
  });

  test('after a stop, only parts that were not acknowledged are sent', async () => {
    const pair = new FleetPair();
    await pair.large('large');
    pair.stopAfter = 5;
    expect((await pair.copy(PARTS)).copied.objects).toBe(0);
    expect(pair.manifest.parts('large').length).toBe(5);
    pair.stopAfter = Number.POSITIVE_INFINITY;
    const again = await pair.copy(PARTS);
    expect(again.resumed).toEqual({ objects: 1, parts: 5, bytes: 500 * KIB });
    expect(pair.parts.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await same(pair, 'large')).toBe(true);
  });

  test('a damaged part fails the attempt, and the object arrives in the next', async () => {
    const pair = new FleetPair();
    await pair.large('large');
    let faults = 1;
    const damaged = new XsyncError('checksum-mismatch', 'the MD5 differs');
    pair.faults.dest.fail('uploadPart', damaged, () => faults-- > 0);
    const run = await pair.copy(PARTS);
    expect(run.copied.objects).toBe(1);
    expect(await same(pair, 'large')).toBe(true);
  });

  test('what an earlier life left is recorded, and not copied again', async () => {
    const first = new FleetPair();
    await first.source.put('a', bytesOf('a', 100));
    const tickets: { ticket: CopyTicket; outcome: Outcome }[] = [];
    const pair = new FleetPair();
    await pair.source.put('a', bytesOf('a', 100));
    await pair.copy();
    const row = pair.manifest.get('a');
    const place = (bucket: string, endpoint: string) => ({ kind: 'memory', endpoint, bucket });
    tickets.push({
      ticket: {
        ...{ version: 1, action: 'copy', key: 'a', way: 'client', cut: { partSize: 100, parts: 1 }, attempts: 3 },
        source: { place: place('src', 'a'), key: 'a', etag: row?.sourceEtag ?? '', size: 100, mtimeMs: 0 },
        dest: { place: place('dst', 'b'), key: 'a' },
      },
      outcome: {
        ...{ kind: 'copied', destEtag: row?.destEtag ?? '', verifiedBy: 'md5' },
        ...{ parts: 1, resumedParts: 0, resumedBytes: 0 },
      },
    });
    pair.manifest.forget(['a']);
    pair.left = tickets;
    const run = await pair.copy();
    expect(pair.whole).toEqual(['a']);
    expect(run.copied.objects).toBe(1);
    expect(run.skipped.byReason).toEqual({ unchanged: 1 });
    // It is in the manifest now.
    const again = await pair.copy();
    expect([again.copied.objects, again.skipped.objects]).toEqual([0, 1]);
  });
});
