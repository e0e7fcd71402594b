import { describe, expect, it } from 'vitest';
import { addFidelity } from '../../../src/engine/record/fidelity.js';

const tags = (reason: string) => ({ attribute: 'tags', reason }) as const;

describe('the attributes of a run', () => {
  it('are counted by object and attribute, however many parts of one were lost', () => {
    let sum = addFidelity(undefined, 'a', { kept: ['metadata', 'acl'], mapped: [], lost: [] });
    sum = addFidelity(sum, 'b', {
      kept: ['acl'],
      mapped: [{ attribute: 'metadata', reason: 'encoded' }],
      lost: [tags('x'), tags('y')],
    });
    expect(sum).toEqual({
      kept: { metadata: 1, acl: 2 },
      mapped: { metadata: 1 },
      lost: { tags: 1 },
      reasons: [
        { became: 'mapped', attribute: 'metadata', reason: 'encoded', objects: 1 },
        { became: 'lost', attribute: 'tags', reason: 'x', objects: 1 },
        { became: 'lost', attribute: 'tags', reason: 'y', objects: 1 },
      ],
      objects: 1,
      list: [{ key: 'b', lost: [tags('x'), tags('y')] }],
    });
  });

  it('are counted by reason, whatever their names', () => {
    const lost = [tags('"a" is too long'), tags('"b\\"c" is too long')];
    let sum = addFidelity(undefined, 'a', { kept: [], mapped: [], lost });
    const more = { attribute: 'metadata', reason: '"a", "b", "c" and 3 more encoded' } as const;
    sum = addFidelity(sum, 'b', { kept: [], mapped: [more], lost: [tags('"d" is too long')] });
    expect(sum.reasons).toEqual([
      { became: 'lost', attribute: 'tags', reason: 'is too long', objects: 2 },
      { became: 'mapped', attribute: 'metadata', reason: 'encoded', objects: 1 },
    ]);
    for (let n = 0; n < 100; n++) sum = addFidelity(sum, 'c', { kept: [], mapped: [], lost: [tags(`no ${n}`)] });
    expect(sum.reasons).toHaveLength(50);
  });

  it('that were lost are named up to a hundred objects, and counted beyond', () => {
    let sum: ReturnType<typeof addFidelity> | undefined;
    for (let n = 0; n < 101; n++) sum = addFidelity(sum, `${n}`, { kept: [], mapped: [], lost: [tags('x')] });
    expect([sum?.objects, sum?.list.length, sum?.lost.tags]).toEqual([101, 100, 101]);
  });
});
