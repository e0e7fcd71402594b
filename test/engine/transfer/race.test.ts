/** A race between two requests for one half of a part, on a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Attempt, type Half, type RaceResult, Races, Siblings } from '../../../src/engine/transfer/race.js';

const MiB = 1024 * 1024;
const SIZE = 8 * MiB;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A request that does what the test says, when it says so. */
class Request {
  attempt: Attempt | undefined;
  aborted = false;
  arrive: (brought: string) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  readonly run = (attempt: Attempt): Promise<string> => {
    this.attempt = attempt;
    attempt.signal.addEventListener('abort', () => {
      this.aborted = true;
    });
    return new Promise((resolve, reject) => {
      this.arrive = resolve;
      this.fail = reject;
    });
  };

  move(bytes: number): void {
    void this.attempt?.pace(bytes);
  }
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

/** Siblings that took so many seconds each. */
function siblingsOf(...seconds: number[]): Siblings {
  const siblings = new Siblings();
  for (const took of seconds) {
    siblings.begin();
    siblings.end(took * 1000);
  }
  return siblings;
}

/** A part whose five siblings took 10 s each, in a run that has moved a GiB. */
function begin(more: Partial<Half<string>> = {}, movedBefore = 1024 * MiB) {
  const races = new Races(() => performance.now());
  races.add(movedBefore);
  const first = new Request();
  const second = new Request();
  const dropped: string[] = [];
  const paced: number[] = [];
  const halt = new AbortController();
  let outcome: RaceResult<string> | undefined;
  let fault: Error | undefined;
  const ended = races
    .run({
      size: SIZE,
      siblings: siblingsOf(10, 10, 10, 10, 10),
      signal: halt.signal,
      first: first.run,
      second: () => second.run,
      drop: (brought) => dropped.push(brought),
      pace: (bytes) => void paced.push(bytes),
      ...more,
    })
    .then(
      (result) => {
        outcome = result;
      },
      (error: Error) => {
        fault = error;
      },
    );
  return { races, first, second, dropped, paced, halt, ended, outcome: () => outcome, fault: () => fault };
}

describe('a second request', () => {
  test('goes when the first will take twice as long as its siblings, once it has had half of their time', async () => {
    const { first, second } = begin();
    first.move(SIZE / 5);
    await pass(4.5);
    expect(second.attempt).toBeUndefined();
    await pass(1);
    expect(second.attempt).toBeDefined();
  });

  test('does not go while the first will take less than twice as long', async () => {
    const { first, second } = begin();
    for (let second = 0; second < 18; second++) {
      first.move(SIZE / 19);
      await pass(1);
    }
    expect(second.attempt).toBeUndefined();
  });

  test('does not go when the first is nearly through and moves', async () => {
    const request = new Request();
    let may = false;
    const { first } = begin({ second: () => (may ? request.run : undefined) });
    for (let second = 0; second < 37; second++) {
      may = second > 30;
      first.move(SIZE / 38);
      await pass(1);
    }
    expect(request.attempt).toBeUndefined();
  });

  test('goes when everything has been sent and no answer comes', async () => {
    const { first, second } = begin();
    first.move(SIZE);
    await pass(19);
    expect(second.attempt).toBeUndefined();
    await pass(2);
    expect(second.attempt).toBeDefined();
  });

  test.each([
    ['too few siblings have finished', siblingsOf(1, 1, 1)],
    ['none has finished', siblingsOf()],
  ])('does not go when %s to judge by', async (_, siblings) => {
    const { second } = begin({ siblings });
    await pass(600);
    expect(second.attempt).toBeUndefined();
  });

  test('is not judged by the quickest few while most are still under way', async () => {
    const siblings = siblingsOf(1, 1, 1, 1);
    for (let i = 0; i < 8; i++) siblings.begin();
    const { second } = begin({ siblings });
    await pass(60);
    expect(second.attempt).toBeUndefined();
  });

  test('does not go when the run may not waste what the first has moved', async () => {
    const { first, second } = begin({}, 10 * MiB);
    first.move(MiB);
    await pass(600);
    expect(second.attempt).toBeUndefined();
  });

  test('is asked for again until it may go, and then never again', async () => {
    let asked = 0;
    const request = new Request();
    begin({ second: () => (++asked < 4 ? undefined : request.run) });
    await pass(12);
    expect(request.attempt).toBeUndefined();
    await pass(600);
    expect([request.attempt === undefined, asked]).toEqual([false, 4]);
  });
});

describe('two requests', () => {
  async function racing(movedBefore?: number) {
    const race = begin({}, movedBefore);
    race.first.move(1000);
    await pass(31);
    return race;
  }

  test('settle only when both have: the bytes are used by the loser until then', async () => {
    const race = await racing();
    race.second.move(SIZE);
    race.second.arrive('b');
    await pass(1);
    expect([race.first.aborted, race.outcome()]).toEqual([true, undefined]);
    race.first.fail(new Error('aborted'));
    await race.ended;
    expect(race.outcome()).toEqual({ brought: 'b', race: { won: 'second', wasted: 1000 } });
    expect(race.races.running).toBe(0);
  });

  test('that both arrive: the later one is given back', async () => {
    const race = await racing();
    race.first.arrive('a');
    race.second.arrive('b');
    await race.ended;
    expect([race.outcome()?.brought, race.dropped]).toEqual(['a', ['b']]);
  });

  test('tell of each byte once', async () => {
    const race = await racing();
    race.second.move(400);
    race.second.move(700);
    race.first.move(50);
    race.first.move(100);
    expect(race.paced).toEqual([1000, 100, 50]);
  });

  test('never waste more than was staked: the one ahead has to win then', async () => {
    const race = await racing(32 * MiB);
    race.second.move(MiB);
    expect(race.first.aborted).toBe(false);
    race.second.move(2 * MiB);
    expect([race.first.aborted, race.second.aborted]).toEqual([true, false]);
    race.first.fail(new Error('aborted'));
    await pass(1);
    expect(race.outcome()).toBeUndefined();
    race.second.arrive('b');
    await race.ended;
    expect(race.outcome()?.race).toEqual({ won: 'second', wasted: 1000 });
  });

  test('that both fail: what is told is not that one was given up', async () => {
    const race = await racing(32 * MiB);
    race.second.move(3 * MiB);
    race.second.fail(new Error('disk full'));
    race.first.fail(new Error('aborted'));
    await race.ended;
    expect(race.fault()?.message).toBe('disk full');
  });

  test('are both aborted with the run', async () => {
    const race = await racing();
    race.halt.abort();
    expect([race.first.aborted, race.second.aborted]).toEqual([true, true]);
  });
});

test('together the stakes of a run stay within a twentieth of what it moves', () => {
  const races = new Races(() => 0);
  races.add(200 * MiB);
  const stakes = Array.from({ length: 10 }, () => races.stake(SIZE, 0));
  const staked = stakes.reduce((sum: number, stake) => sum + (stake ?? 0), 0);
  expect(staked).toBeGreaterThan(9 * MiB);
  expect(staked).toBeLessThanOrEqual((200 * MiB + SIZE) / 20);
  races.close(stakes[0] ?? 0, 1000);
  expect(races.stake(SIZE, 0)).toBeGreaterThan(7 * MiB);
});
