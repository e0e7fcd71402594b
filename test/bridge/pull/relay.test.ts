import { expect, it } from 'vitest';
import { Relayed, refuseOwnDisk } from '../../../src/bridge/pull/relay.js';
import type { RunEvent } from '../../../src/engine/events.js';

it('tells what it has sent on', () => {
  const relayed = new Relayed();
  relayed.hear({ type: 'skip', key: 'b', size: 9, reason: 'unchanged' });
  relayed.hear({ type: 'copied', key: 'a', size: 7 } as RunEvent);
  expect(relayed.text).toBe('relayed 1 object, 7 bytes: each byte left the source once and this host once');
});

it('sends nothing to its own disk', () => {
  expect(() => refuseOwnDisk('./here', { local: true })).toThrow('./here is on this host');
  expect(() => refuseOwnDisk('far:bucket', { local: false })).not.toThrow();
});
