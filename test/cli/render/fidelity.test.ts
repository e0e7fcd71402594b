import { describe, expect, it } from 'vitest';
import {
  keptAttributes,
  lossLines,
  lostAttributes,
  lostText,
  mappedAttributes,
} from '../../../src/cli/render/fidelity.js';
import type { FidelitySum, Summary } from '../../../src/engine/events.js';

const lost = [{ attribute: 'tags', reason: 'the destination keeps none' }] as const;
const summary = (fidelity?: Partial<FidelitySum>) =>
  ({
    fidelity: fidelity && { kept: {}, mapped: {}, lost: {}, reasons: [], objects: 0, list: [], ...fidelity },
  }) as Summary;

describe('attributes in a summary', () => {
  it('are not mentioned if there is nothing to tell', () => {
    const none = summary();
    expect([keptAttributes(none), mappedAttributes(none), lostAttributes(none), lossLines(none)]).toEqual([
      ...['', '', '', undefined],
    ]);
  });

  it('are counted by name', () => {
    const told = summary({ kept: { metadata: 1200, acl: 3 }, mapped: { metadata: 2 }, lost: { tags: 1 }, objects: 1 });
    expect(keptAttributes(told)).toBe('metadata 1,200 · ACL 3');
    expect(mappedAttributes(told)).toBe('metadata 2');
    expect(lostAttributes(told)).toBe('1 object: tags 1');
  });

  it('that were lost are listed with their reasons, ten objects at most', () => {
    const list = Array.from({ length: 12 }, (_, i) => ({ key: `k${i}\n`, lost }));
    const lines = lossLines(summary({ objects: 12, list }));
    expect(lines?.heading).toBe('The first 10 of 12 objects that lost attributes:');
    expect(lines?.lines).toHaveLength(10);
    expect(lines?.lines[0]).toBe('k0\\n: tags: the destination keeps none');
    expect(lostText([...lost, { attribute: 'storage-class', reason: 'x\u001b[2J' }])).not.toContain('\u001b');
  });
});
