import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSequencers, EventOrder, laterOf } from '../../src/feed/order.js';
import { created, removed } from './support.js';

const hex = fc.stringMatching(/^[0-9a-fA-F]{1,20}$/);

describe('the order of sequencers', () => {
  it('pads the shorter one on the right, as AWS says, so that a longer one is not always the later one', () => {
    expect(compareSequencers('0055AED6DCD90281E5', '0055AED6DCD90281E6')).toBeLessThan(0);
    expect(compareSequencers('0055AED6DD', '0055AED6DCD90281E5')).toBeGreaterThan(0);
    expect(compareSequencers('0055AED6DC', '0055AED6DC00')).toBe(0);
  });

  it('takes no difference between capital and small letters for an order', () => {
    expect(compareSequencers('0055aed6dc', '0055AED6DC')).toBe(0);
  });

  it('orders nothing by a sequencer that is no number, so that no event is dropped for it', () => {
    expect(compareSequencers('first', '0055AED6DC')).toBeUndefined();
    expect(compareSequencers('', '00')).toBeUndefined();
  });

  it('is an order: one of two is later, whichever is asked about first', () => {
    fc.assert(
      fc.property(hex, hex, hex, (a, b, c) => {
        const ab = compareSequencers(a, b) ?? 0;
        const bc = compareSequencers(b, c) ?? 0;
        expect((compareSequencers(b, a) ?? 0) + ab).toBe(0);
        if (ab <= 0 && bc <= 0) expect(compareSequencers(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('the later one of two events', () => {
  it('is told by the sequencer, whatever came first', () => {
    const late = removed('a', { sequencer: '02', atMs: 1 });
    expect(laterOf(late, created('a', { sequencer: '01', atMs: 2 }))).toBe(late);
  });

  it('is told by the time where there is no sequencer, and by the arrival where neither tells', () => {
    const late = created('a', { atMs: 2_000 });
    expect(laterOf(late, removed('a', { atMs: 1_000 }))).toBe(late);
    const same = removed('a', { atMs: 2_000 });
    expect(laterOf(late, same)).toBe(same);
    const bare = removed('a');
    expect(laterOf(late, bare)).toBe(bare);
  });
});

describe('what was handled', () => {
  it('keeps an object from being handled again for a repeated or an older event', () => {
    const order = new EventOrder();
    order.handled(created('a', { sequencer: '05' }));
    expect(order.isOld(created('a', { sequencer: '05' }))).toBe(true);
    expect(order.isOld(removed('a', { sequencer: '04' }))).toBe(true);
    expect(order.isOld(removed('a', { sequencer: '06' }))).toBe(false);
  });

  it('says nothing of other keys, other buckets and events without a sequencer', () => {
    const order = new EventOrder();
    order.handled(created('a', { bucket: 'one', sequencer: '05' }));
    expect(order.isOld(created('b', { bucket: 'one', sequencer: '04' }))).toBe(false);
    expect(order.isOld(created('a', { bucket: 'two', sequencer: '04' }))).toBe(false);
    expect(order.isOld(created('a', { bucket: 'one' }))).toBe(false);
  });

  it('does not go back when an older event is handled later', () => {
    const order = new EventOrder();
    order.handled(created('a', { sequencer: '05' }));
    order.handled(created('a', { sequencer: '03' }));
    expect(order.isOld(created('a', { sequencer: '04' }))).toBe(true);
  });

  it('is remembered of so many keys and no more, the busy ones longest, so that memory is bounded', () => {
    const order = new EventOrder(2);
    order.handled(created('a', { sequencer: '05' }));
    order.handled(created('b', { sequencer: '05' }));
    expect(order.isOld(created('a', { sequencer: '05' }))).toBe(true);
    order.handled(created('c', { sequencer: '05' }));
    expect(order.isOld(created('a', { sequencer: '05' }))).toBe(true);
    expect(order.isOld(created('b', { sequencer: '05' }))).toBe(false);
  });
});
