import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Dispatch } from '../../src/cluster/dispatch.js';
import { type CopyWork, fieldOf, type Result, type Work } from '../../src/cluster/messages.js';
import { copyTicket } from './tickets.js';

function setup() {
  const jobs = new Map<string, readonly Work[]>();
  const recovered: string[] = [];
  const over: string[] = [];
  let ids = 0;
  const dispatch = new Dispatch({
    queue: { add: async (id, work) => void jobs.set(id, work) },
    newId: () => `j${ids++}`,
    recovered: (what) => recovered.push(what.type === 'copy' ? what.ticket.key : `part ${what.part.partNumber}`),
    ended: (job) => over.push(job),
    failed: (error) => expect.fail(String(error)),
  });
  return { dispatch, jobs, recovered, over };
}

const work = (key: string, size = 1000): CopyWork => ({ type: 'copy', ticket: copyTicket(key, size) });

function copied(destEtag: string): Result {
  const facts = { verifiedBy: 'md5', parts: 1, resumedParts: 0, resumedBytes: 0 } as const;
  return { outcome: { kind: 'copied', destEtag, ...facts } };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('handing over', () => {
  test('a few objects wait a moment for more, and go as one job', async () => {
    const { dispatch, jobs, over } = setup();
    const results = ['a', 'b', 'c'].map((key) => dispatch.copy(work(key)));
    await vi.advanceTimersByTimeAsync(1);
    expect(jobs.size).toBe(0);
    await vi.advanceTimersByTimeAsync(50);
    expect([...jobs.values()].map((each) => each.length)).toEqual([3]);
    dispatch.heard(
      'j0',
      [0, 1, 2].map((at) => [fieldOf(at), copied(`e${at}`)] as const),
    );
    expect(await Promise.all(results)).toEqual([copied('e0'), copied('e1'), copied('e2')]);
    expect(over).toEqual(['j0']);
  });

  test('however many objects come, no more jobs than the window allows', async () => {
    const { dispatch, jobs } = setup();
    for (let n = 0; n < 20_000; n++) void dispatch.copy(work(`k${n}`));
    await vi.advanceTimersByTimeAsync(1000);
    expect(jobs.size).toBe(32);
    expect(Math.max(...[...jobs.values()].map((each) => each.length))).toBeLessThanOrEqual(1000);
    dispatch.crew = { workers: 20, room: 80 };
    await vi.advanceTimersByTimeAsync(1000);
    expect(jobs.size).toBe(120);
  });
});

describe('the last objects', () => {
  test('those that came while the window was full go when there is room', async () => {
    const { dispatch, jobs } = setup();
    for (let n = 0; n < 32; n++) {
      void dispatch.copy(work(`k${n}`));
      await vi.advanceTimersByTimeAsync(50);
    }
    const last = dispatch.copy(work('last'));
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.size).toBe(32);
    for (let n = 0; n < 32; n++) dispatch.heard(`j${n}`, [['0', copied(`e${n}`)]]);
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.get('j32')).toEqual([work('last')]);
    dispatch.heard('j32', [['0', copied('last')]]);
    expect(await last).toEqual(copied('last'));
  });

  test('parts are spread over all workers, and there are enough of them for the requests of each', async () => {
    const { dispatch, jobs } = setup();
    dispatch.crew = { workers: 8, room: 8 * 64 };
    const ticket = copyTicket('large', 512 * 2 ** 23, 2 ** 23);
    const part = { ticket, uploadId: 'u', hashing: { md5: true, crc64ecma: false } };
    for (let n = 1; n <= 512; n++) void dispatch.part({ ...part, partNumber: n });
    await vi.advanceTimersByTimeAsync(50);
    const sizes = [...jobs.values()].map((works) =>
      works.reduce((sum, each) => sum + (each.type === 'parts' ? each.numbers.length : 0), 0),
    );
    expect(sizes).toEqual(Array.from({ length: 32 }, () => 16));
  });
});

describe('at least once', () => {
  test('the first result counts, the second is ignored', async () => {
    const { dispatch, over } = setup();
    const result = dispatch.copy(work('a'));
    await vi.advanceTimersByTimeAsync(50);
    dispatch.heard('j0', [['0', copied('first')]]);
    dispatch.heard('j0', [['0', copied('second')]]);
    expect(await result).toEqual(copied('first'));
    expect(over).toEqual(['j0']);
  });

  test('what a lost job has not done goes into another, as something that may have been written', async () => {
    const { dispatch, jobs } = setup();
    const [a, b] = [dispatch.copy(work('a')), dispatch.copy(work('b'))];
    await vi.advanceTimersByTimeAsync(50);
    dispatch.heard('j0', [['0', copied('a')]]);
    dispatch.lost('j0');
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.get('j1')).toEqual([{ ...work('b'), again: true }]);
    // The worker that was taken for dead.
    dispatch.heard('j0', [['1', copied('late')]]);
    dispatch.heard('j1', [['0', copied('b')]]);
    expect(await Promise.all([a, b])).toEqual([copied('a'), copied('b')]);
  });

  test('an object over which workers end again and again fails, and the run goes on', async () => {
    const { dispatch } = setup();
    const result = dispatch.copy(work('a'));
    for (let n = 0; n < 9; n++) {
      await vi.advanceTimersByTimeAsync(50);
      dispatch.lost(`j${n}`);
    }
    expect(await result).toMatchObject({ outcome: { kind: 'failed', attempts: 9 } });
  });
});

describe('jobs of an earlier life', () => {
  const done = new Map([['0', copied('a')]]);

  test('results that are there are recorded; what is asked for again is not done twice', async () => {
    const { dispatch, jobs, recovered, over } = setup();
    dispatch.adopt('old', [work('a'), work('b'), work('c')], done);
    expect(recovered).toEqual(['a']);
    const b = dispatch.copy(work('b'));
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.size).toBe(0);
    dispatch.heard('old', [
      ['1', copied('b')],
      ['2', copied('c')],
    ]);
    expect(await b).toEqual(copied('b'));
    expect(recovered).toEqual(['a', 'c']);
    expect(over).toEqual(['old']);
    await dispatch.drain();
  });

  test('what a worker has done before it is asked for is not done twice', async () => {
    const { dispatch, jobs, recovered } = setup();
    dispatch.adopt('old', [work('a')], new Map());
    dispatch.heard('old', [['0', copied('a')]]);
    expect(recovered).toEqual(['a']);
    expect(await dispatch.copy(work('a'))).toEqual(copied('a'));
    void dispatch.copy(work('a'));
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.size).toBe(1);
  });

  test('another version of an object waits for the one that is being written', async () => {
    const { dispatch, jobs } = setup();
    dispatch.adopt('old', [work('a', 1)], new Map());
    const newer = dispatch.copy(work('a', 2));
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.size).toBe(0);
    dispatch.heard('old', [['0', copied('one')]]);
    await vi.advanceTimersByTimeAsync(50);
    expect(jobs.get('j0')).toEqual([work('a', 2)]);
    dispatch.heard('j0', [['0', copied('two')]]);
    expect(await newer).toEqual(copied('two'));
  });

  test('a lost one that nobody asks for is forgotten', async () => {
    const { dispatch, jobs, over } = setup();
    dispatch.adopt('old', [work('a')], new Map());
    dispatch.lost('old');
    await dispatch.drain();
    await vi.advanceTimersByTimeAsync(50);
    expect([jobs.size, over]).toEqual([0, ['old']]);
  });
});

describe('stopping', () => {
  test('what no job has is left; what a worker has may end', async () => {
    const { dispatch } = setup();
    const first = dispatch.copy(work('a'));
    await vi.advanceTimersByTimeAsync(50);
    const second = dispatch.copy(work('b'));
    dispatch.stop();
    expect(await second).toEqual({ outcome: { kind: 'unfinished' } });
    dispatch.heard('j0', [['0', copied('a')]]);
    expect(await first).toEqual(copied('a'));
    expect(await dispatch.copy(work('c'))).toEqual({ outcome: { kind: 'unfinished' } });
  });

  test('nothing is waited for when calls are aborted', async () => {
    const { dispatch } = setup();
    const result = dispatch.copy(work('a'));
    await vi.advanceTimersByTimeAsync(50);
    dispatch.abandon();
    expect(await result).toEqual({ outcome: { kind: 'unfinished' } });
  });
});
