/**
 * A bridge while everything breaks: events that are repeated and late, URLs that end, both ends killed, the line cut. Small in
 * CI; in full:
 *
 *   XSYNC_STORM_OBJECTS=2000 XSYNC_STORM_MIB=300 npx vitest run --project binary test/e2e/bridge-storm.test.ts
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Bridge, openSides, SECRET } from './bridging.js';
import type { Running } from './harness.js';
import { until } from './harness.js';

const MIB = 2 ** 20;
const OBJECTS = Number(process.env.XSYNC_STORM_OBJECTS ?? 300);
const BIG_MIB = Number(process.env.XSYNC_STORM_MIB ?? 40);
/** Of each end. */
const KILLS = Number(process.env.XSYNC_STORM_KILLS ?? 10);
const BAD = 7;

const { lab, near, far, line, running } = await openSides();

/** A repeatable stream of numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Changes at the source, and the events about them: each one twice, and none in its place. */
class Changes {
  readonly wanted = new Map<string, Buffer>();
  versions = 0;
  readonly #random = randomFrom(1);
  readonly #scene: Bridge;
  #waiting: object[] = [];

  constructor(scene: Bridge) {
    this.#scene = scene;
  }

  put(key: string, bytes: Buffer): void {
    this.#scene.put(key, bytes);
    this.wanted.set(key, bytes);
    this.versions++;
    const record = {
      ...{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() },
      s3: { bucket: { name: this.#scene.from }, object: { key: encodeURIComponent(key), size: bytes.length } },
    };
    this.#waiting.push(record, record);
  }

  /** The next event, which is any of the last ones. */
  take(): object | undefined {
    return this.#waiting.splice(Math.floor(this.#random() * Math.min(50, this.#waiting.length)), 1)[0];
  }
}

/** The pushing end, which takes events at another address each time that it starts. */
class Sender {
  push: Running | undefined;
  readonly #scene: Bridge;

  constructor(scene: Bridge) {
    this.#scene = scene;
  }

  start(): void {
    this.push = this.#scene.push('--interval', 'off', '--events', ':0/events');
  }

  async kill(): Promise<void> {
    this.push?.kill('SIGKILL');
    await this.push?.done;
  }

  /** Until it is accepted, as every sender of events does. */
  async tell(records: object[]): Promise<void> {
    for (;;) {
      const address = /receiving events at (\S+)/.exec(this.push?.stderr ?? '')?.[1];
      const headers = { authorization: `Bearer ${SECRET}` };
      const body = JSON.stringify({ Records: records });
      const signal = AbortSignal.timeout(5_000);
      const answer =
        address && (await fetch(address, { method: 'POST', headers, body, signal }).catch(() => undefined));
      if (answer && (await answer.text()) && answer.status === 200) return;
      await sleep(20);
    }
  }
}

test('both ends are killed again and again, the line is cut, URLs end, and everything arrives once, in its newest version', async () => {
  const s = await Bridge.open({ lab, near, far, line, running });
  far.faults.add({
    match: { kind: 'PutObject', key: /^in\/bad\// },
    fault: { kind: 'status', status: 400, code: 'EntityTooLarge' },
  });
  const ended = { kind: 'status', status: 403, code: 'AccessDenied', message: 'Request has expired' } as const;
  near.faults.add({ match: { kind: 'GetObject', key: 'big', probability: 0.2, seed: 2 }, fault: ended });
  near.faults.add({
    match: { kind: 'GetObject', probability: 0.1, seed: 1 },
    fault: { kind: 'slow', delayMs: 50 },
  });
  const changes = new Changes(s);
  const sender = new Sender(s);
  const pulling = ['--part-size', '5M', '--transfers', '4'];
  let pull = await s.pull(...pulling);
  sender.start();
  // What is there before the first listing is not sent.
  const started = sender.push;
  await until(() => started?.stderr.includes('objects are there already') === true, { orElse: started?.done });

  const random = randomFrom(3);
  const make = (from: number, to: number): void => {
    for (let n = from; n < to; n++) {
      changes.put(`dir-${n % 7}/object ${n}`, Buffer.from(`object ${n}`));
      const older = Math.floor(random() * n);
      if (random() < 0.2) changes.put(`dir-${older % 7}/object ${older}`, Buffer.from(`${older}, changed at ${n}`));
    }
  };
  let over = false;
  const telling = (async () => {
    for (;;) {
      const records = Array.from({ length: 5 }, () => changes.take()).filter((one) => one !== undefined);
      if (records.length > 0) await sender.tell(records);
      else if (over) return;
      else await sleep(5);
    }
  })();
  changes.put('big', randomBytes(BIG_MIB * MIB));
  for (let n = 0; n < BAD; n++) changes.put(`bad/${n}`, Buffer.from(`bad ${n}`));
  const share = Math.ceil(OBJECTS / (KILLS + 1));
  for (let n = 0; n < KILLS; n++) {
    const before = far.requests.count();
    make(n * share, (n + 1) * share);
    // Somewhere in the middle: told by what has reached the destination.
    await until(() => far.requests.count() >= before + 5);
    if (n % 3 === 2) {
      line.cut();
      await sleep(300);
    }
    pull.kill('SIGKILL');
    // In half of the cases, push learns that nobody is there.
    if (n % 2 === 0) await sleep(100);
    await sender.kill();
    await pull.done;
    sender.start();
    pull = await s.pull(...pulling);
  }
  make(KILLS * share, OBJECTS);
  over = true;
  await telling;
  await sender.kill();
  const last = await s.push('--once').done;

  const good = [...changes.wanted.keys()].filter((key) => !key.startsWith('bad/'));
  expect(s.keys()).toEqual(good.map((key) => `in/${key}`).sort());
  const differing = good.filter((key) => !s.read(key).equals(changes.wanted.get(key) ?? Buffer.alloc(0)));
  expect(differing).toEqual([]);
  expect(far.core.oss.uploads(s.to)).toEqual([]);
  const failed = await lab.run(['failed', `own:${s.from}`, line.url, '--json'], s.pushHome);
  const dead = failed.stdout.trim().split('\n').filter(Boolean);
  expect(dead.map((text) => JSON.parse(text).key).sort()).toEqual(Array.from({ length: BAD }, (_, n) => `bad/${n}`));
  expect(last.code).toBe(6);
  // Once: only what was under way at a kill is written again.
  const writes = far.requests.entries.filter(({ kind, status, key }) => kind === 'PutObject' && status === 200 && key);
  expect(writes.length).toBeLessThanOrEqual(changes.versions + 4 * KILLS);
  console.log(
    `${good.length} objects, ${changes.versions} versions, ${writes.length} PUTs, ${near.requests.find('GetObject').length} GETs, ` +
      `${far.requests.find('UploadPart').length} parts`,
  );
}, 1_800_000); // The full size takes minutes.
