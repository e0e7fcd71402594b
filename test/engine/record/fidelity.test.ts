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
      objects: 1,
      list: [{ key: 'b', lost: [tags('x'), tags('y')] }],
    });
  });

  it('that were lost are named up to a hundred objects, and counted beyond', () => {
    let sum: ReturnType<typeof addFidelity> | undefined;
    for (let n = 0; n < 101; n++) sum = addFidelity(sum, `${n}`, { kept: [], mapped: [], lost: [tags('x')] });
    expect([sum?.objects, sum?.list.length, sum?.lost.tags]).toEqual([101, 100, 101]);
  });
});
