import { Agent as WholeAgent } from 'undici';
import { expect, it } from 'vitest';
import { Agent, Socks5Client } from '../../../src/store/http/undici.js';

it('finds in undici the same parts that its entry exports: a version that moves them must not reach users', async () => {
  expect(Agent).toBe(WholeAgent);
  expect(Socks5Client.prototype.handshake).toBeTypeOf('function');
});
