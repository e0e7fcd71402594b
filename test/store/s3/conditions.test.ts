import { describe, expect, test } from 'vitest';
import { type ErrorCode, XsyncError } from '../../../src/model/error.js';
import { type Condition, conditionHeaders, WriteConditions } from '../../../src/store/s3/conditions.js';

/** Remembers the conditions of its writes, and refuses those with If-Match. */
function refusing(code: ErrorCode) {
  const sent: Condition[] = [];
  const send = async (condition: Condition): Promise<string> => {
    sent.push(condition);
    if (condition.ifMatch !== undefined) throw new XsyncError(code, 'no');
    return 'written';
  };
  return { sent, send };
}

describe('the condition of a write', () => {
  test.each([
    ['that replaces a version', 'e', { 'if-match': '"e"' }],
    ['that replaces nothing', '', { 'if-none-match': '*' }],
    ['that replaces anything', undefined, {}],
  ])('%s', async (_, replaces, headers) => {
    const conditions = new WriteConditions(true);
    expect(await conditions.write({ replaces }, async (condition) => conditionHeaders(condition))).toEqual(headers);
  });

  test('is left out for a store that has none', async () => {
    const conditions = new WriteConditions(false);
    expect(await conditions.write({ replaces: 'e' }, async (condition) => condition)).toEqual({});
  });

  test('is given up for good by credentials that may not read', async () => {
    const { sent, send } = refusing('access-denied');
    const conditions = new WriteConditions(true);
    for (const etag of ['a', 'b']) expect(await conditions.write({ replaces: etag }, send)).toBe('written');
    expect(sent).toEqual([{ ifMatch: 'a' }, {}, {}]);
    expect(await conditions.write({ replaces: '' }, send)).toBe('written');
    expect(sent.at(-1)).toEqual({ ifNoneMatch: '*' });
  });

  test('is never given up by a strict write', async () => {
    const { sent, send } = refusing('access-denied');
    const conditions = new WriteConditions(true);
    await conditions.write({ replaces: 'a' }, send);
    await expect(conditions.write({ replaces: 'b', strict: true }, send)).rejects.toMatchObject({
      code: 'access-denied',
    });
    expect(sent.at(-1)).toEqual({ ifMatch: 'b' });
    const without = new WriteConditions(false).write({ replaces: '', strict: true }, send);
    await expect(without).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('is kept when the write is denied with and without it', async () => {
    const conditions = new WriteConditions(true);
    const denied = async (): Promise<never> => {
      throw new XsyncError('access-denied', 'no');
    };
    await expect(conditions.write({ replaces: 'a' }, denied)).rejects.toMatchObject({ code: 'access-denied' });
    const { sent, send } = refusing('precondition-failed');
    await expect(conditions.write({ replaces: 'a' }, send)).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(sent).toEqual([{ ifMatch: 'a' }]);
  });

  test('does not hold for an object that is gone', async () => {
    const { send } = refusing('object-not-found');
    await expect(new WriteConditions(true).write({ replaces: 'a' }, send)).rejects.toMatchObject({
      code: 'precondition-failed',
    });
  });
});
