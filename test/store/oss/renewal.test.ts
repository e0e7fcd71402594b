import { describe, expect, it } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { type Fetched, fixedSource, RenewedSource, renewable } from '../../../src/store/oss/renewal.js';

const MINUTE = 60_000;

/** A source over answers that a test prepares; the last one is given again. */
function prepared(...answers: (Fetched | Error)[]) {
  let fetches = 0;
  const source = new RenewedSource('profile "work"', async () => {
    const answer = answers[Math.min(fetches++, answers.length - 1)];
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  });
  return { source, fetches: () => fetches };
}

const session = (id: string, expiresMs?: number): Fetched => ({
  accessKeyId: id,
  accessKeySecret: 's',
  securityToken: `token-of-${id}`,
  expiresMs,
});

describe('credentials that renew', () => {
  it('are fetched once for all requests that wait, and are at hand afterwards', async () => {
    const { source, fetches } = prepared(session('a', 60 * MINUTE));
    const all = await Promise.all(Array.from({ length: 100 }, () => source.get(0)));
    expect(new Set(all).size).toBe(1);
    expect(source.get(54 * MINUTE)).toBe(all[0]);
    expect(fetches()).toBe(1);
  });

  it('are fetched again five minutes before they expire', async () => {
    const { source, fetches } = prepared(session('a', 60 * MINUTE), session('b', 120 * MINUTE));
    await source.get(0);
    const next = await Promise.all([source.get(55 * MINUTE), source.get(55 * MINUTE)]);
    expect(next.map(({ accessKeyId }) => accessKeyId)).toEqual(['b', 'b']);
    expect(fetches()).toBe(2);
  });

  it('that arrive about to expire are not fetched anew for every request', async () => {
    const { source, fetches } = prepared(session('a', 3 * MINUTE));
    for (let second = 0; second < 90; second++) await source.get(second * 1000);
    expect(fetches()).toBe(1);
    await source.get(91_000);
    expect(fetches()).toBe(2);
  });

  it('of a clock that is a year wrong are used, and left to the service to judge', async () => {
    const { source, fetches } = prepared(session('a', 0));
    expect(await source.get(365 * 24 * 60 * MINUTE)).toMatchObject({ accessKeyId: 'a' });
    await source.get(365 * 24 * 60 * MINUTE + 1);
    expect(fetches()).toBe(1);
  });

  it('that never expire are kept until the service refuses them', async () => {
    const { source, fetches } = prepared(session('a'), session('b'));
    const first = await source.get(0);
    expect(source.get(1e15)).toBe(first);
    expect(source.expire(first)).toBe(true);
    expect(await source.get(0)).toMatchObject({ accessKeyId: 'b' });
    expect(fetches()).toBe(2);
  });

  it('that still work are used while the provider fails, which is asked twice a minute', async () => {
    const { source, fetches } = prepared(session('a', 60 * MINUTE), new XsyncError('unreachable', 'STS is away'));
    const first = await source.get(0);
    for (let second = 0; second < 60; second++) expect(await source.get(55 * MINUTE + second * 1000)).toBe(first);
    expect(fetches()).toBe(3);
    await expect(source.get(60 * MINUTE)).rejects.toMatchObject({ code: 'unreachable', class: 'temporary' });
  });

  it('are not dropped for a request that was signed before the last renewal', async () => {
    const { source, fetches } = prepared(session('a', 60 * MINUTE), session('b', 120 * MINUTE));
    const old = await source.get(0);
    const current = await source.get(56 * MINUTE);
    source.expire(old);
    expect(source.get(57 * MINUTE)).toBe(current);
    expect(fetches()).toBe(2);
  });

  it('that a provider keeps returning after the service refused them end the run', async () => {
    const { source } = prepared(session('a'));
    source.expire(await source.get(0));
    await expect(source.get(0)).rejects.toMatchObject({
      code: 'expired-credentials',
      class: 'person',
      message: 'the credentials of profile "work" have expired',
    });
  });

  it.each(['a\nb', 'a b', 'ä', 'a\u200b'])(
    'that no header can hold are refused, and not shown: %j',
    async (damaged) => {
      const message = 'profile "work": a key or token has characters that none can have';
      const { source } = prepared({ ...session('a'), securityToken: damaged });
      await expect(source.get(0)).rejects.toMatchObject({ code: 'bad-credentials', message });
      expect(() => fixedSource({ accessKeyId: 'a', accessKeySecret: damaged })).toThrow(/^the configured keys: /);
    },
  );

  it('make the refusal of an expired token temporary; fixed keys do not', async () => {
    const { source } = prepared(session('a'), session('b'));
    const used = await source.get(0);
    const refusal = new XsyncError('expired-credentials', 'expired', { serviceCode: 'SecurityTokenExpired' });
    expect(renewable(refusal, source, used)).toMatchObject({
      code: 'expired-credentials',
      class: 'temporary',
      serviceCode: 'SecurityTokenExpired',
    });
    const keys = { accessKeyId: 'k', accessKeySecret: 's' };
    expect(renewable(refusal, fixedSource(keys), keys)).toBe(refusal);
    const denied = new XsyncError('access-denied', 'no');
    expect(renewable(denied, source, used)).toBe(denied);
  });
});
